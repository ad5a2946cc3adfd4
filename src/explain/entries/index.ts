/** The tables of what CRIU says, read when the first line is to be explained. */
import type { Entry } from "../entry.ts";
import { type Index, indexOf } from "../find.ts";
import { type NearIndex, nearIndexOf } from "../near.ts";
import { parseTable } from "../table.ts";
import bugs from "./bugs.txt" with { type: "text" };
import building from "./building.txt" with { type: "text" };
import cgroups from "./cgroups.txt" with { type: "text" };
import check from "./check.txt" with { type: "text" };
import clients from "./clients.txt" with { type: "text" };
import clocks from "./clocks.txt" with { type: "text" };
import compel from "./compel.txt" with { type: "text" };
import crtools from "./crtools.txt" with { type: "text" };
import criu from "./criu.txt" with { type: "text" };
import deaths from "./deaths.txt" with { type: "text" };
import descriptors from "./descriptors.txt" with { type: "text" };
import dump from "./dump.txt" with { type: "text" };
import engines from "./engines.txt" with { type: "text" };
import files from "./files.txt" with { type: "text" };
import filesystems from "./filesystems.txt" with { type: "text" };
import gpu from "./gpu.txt" with { type: "text" };
import gvisor from "./gvisor.txt" with { type: "text" };
import helpers from "./helpers.txt" with { type: "text" };
import images from "./images.txt" with { type: "text" };
import inet from "./inet.txt" with { type: "text" };
import ipc from "./ipc.txt" with { type: "text" };
import kernel from "./kernel.txt" with { type: "text" };
import locks from "./locks.txt" with { type: "text" };
import memoryFiles from "./memory-files.txt" with { type: "text" };
import mended from "./mended.txt" with { type: "text" };
import mendedFirst from "./mended-first.txt" with { type: "text" };
import mounts from "./mounts.txt" with { type: "text" };
import mountsOfDumps from "./mounts-of-dumps.txt" with { type: "text" };
import namespaces from "./namespaces.txt" with { type: "text" };
import net from "./net.txt" with { type: "text" };
import netfilter from "./netfilter.txt" with { type: "text" };
import older from "./older.txt" with { type: "text" };
import olderEngines from "./older-engines.txt" with { type: "text" };
import olderDumps from "./older-dumps.txt" with { type: "text" };
import olderFiles from "./older-files.txt" with { type: "text" };
import olderMounts from "./older-mounts.txt" with { type: "text" };
import olderNet from "./older-net.txt" with { type: "text" };
import oldest from "./oldest.txt" with { type: "text" };
import pages from "./pages.txt" with { type: "text" };
import pidfds from "./pidfds.txt" with { type: "text" };
import proc from "./proc.txt" with { type: "text" };
import processor from "./processor.txt" with { type: "text" };
import propagation from "./propagation.txt" with { type: "text" };
import pstree from "./pstree.txt" with { type: "text" };
import quiet from "./quiet.txt" with { type: "text" };
import restorer from "./restorer.txt" with { type: "text" };
import runtimes from "./runtimes.txt" with { type: "text" };
import rights from "./rights.txt" with { type: "text" };
import seizing from "./seizing.txt" with { type: "text" };
import service from "./service.txt" with { type: "text" };
import sockets from "./sockets.txt" with { type: "text" };
import tcp from "./tcp.txt" with { type: "text" };
import tree from "./tree.txt" with { type: "text" };
import ttys from "./ttys.txt" with { type: "text" };
import unix from "./unix.txt" with { type: "text" };
import containerd from "./containerd.txt" with { type: "text" };
import zdtm from "./zdtm.txt" with { type: "text" };
import jvms from "./jvms.txt" with { type: "text" };
import kubernetes from "./kubernetes.txt" with { type: "text" };
import lxc from "./lxc.txt" with { type: "text" };
import openvz from "./openvz.txt" with { type: "text" };
import operator from "./operator.txt" with { type: "text" };
import oci from "./oci.txt" with { type: "text" };
import podman from "./podman.txt" with { type: "text" };
import tools from "./tools.txt" with { type: "text" };
import vdso from "./vdso.txt" with { type: "text" };
import warnings from "./warnings.txt" with { type: "text" };
import watches from "./watches.txt" with { type: "text" };

const tables: Record<string, string> = {
  bugs,
  building,
  mended,
  mendedFirst,
  cgroups,
  check,
  clients,
  clocks,
  compel,
  criu,
  crtools,
  deaths,
  descriptors,
  dump,
  engines,
  files,
  filesystems,
  gpu,
  gvisor,
  helpers,
  images,
  inet,
  ipc,
  kernel,
  locks,
  memoryFiles,
  mounts,
  mountsOfDumps,
  namespaces,
  net,
  netfilter,
  older,
  olderDumps,
  olderEngines,
  olderFiles,
  olderMounts,
  olderNet,
  oldest,
  pages,
  pidfds,
  proc,
  processor,
  propagation,
  pstree,
  quiet,
  restorer,
  runtimes,
  rights,
  seizing,
  service,
  sockets,
  tcp,
  tree,
  ttys,
  unix,
  containerd,
  jvms,
  kubernetes,
  lxc,
  oci,
  openvz,
  operator,
  podman,
  tools,
  vdso,
  warnings,
  watches,
  zdtm,
};

let parsed: readonly Entry[] | undefined;
export const entries = (): readonly Entry[] =>
  (parsed ??= Object.values(tables).flatMap((table) => parseTable(table)));

let indexed: Index | undefined;
export const index = (): Index => (indexed ??= indexOf(entries()));

let near: NearIndex | undefined;
export const nearIndex = (): NearIndex =>
  (near ??= nearIndexOf(
    Map.groupBy([...index().values()].flat(), ({ words }) => words)
      .values()
      .map(([first]) => first!)
      .filter(({ entry }) => entry.beside === undefined && entry.mended === undefined),
  ));
