/** What CRIU does on its own or on the caller's word, whatever the images say. */
import { resolve } from "../../sys/path.ts";
import { plugins } from "../criu/plugins.ts";
import { otherWorkDir } from "../criu/work-dir-unwritable.ts";
import type { Context } from "../finding.ts";
import { effect, type Effect } from "./effect.ts";

export function criuEffects(context: Context): Effect[] {
  const { checkpoint, namespaces, request } = context;
  const workDir = otherWorkDir(context) ?? request.workDir;
  const found: Effect[] = [];
  const note = (
    verb: Effect["verb"],
    what: string,
    path: string,
    detail: string,
    when?: Effect["when"],
  ) => found.push(effect({ verb, what, path, name: path, detail, ...(when && { when }) }));
  const { logFile, pidfile } = request;
  if (logFile !== undefined && logFile !== "-")
    note("write", "file", resolve(logFile), "CRIU's log");
  if (pidfile !== undefined)
    note("create", "file", resolve(pidfile), "the root task's pid", "succeeding");
  note("write", "file", "/run/criu.kdat", "what CRIU learnt of this kernel");
  // Where that file has not said it already, CRIU tries what the kernel can do.
  const trial = "for the moment, to learn what the kernel can do";
  note("create", "directory", "/tmp/.criu.move_mount_set_group.XXXXXX", trial);
  note("run", "program", "iptables", "lists rules, to learn what the kernel can do");
  note("write", "file", resolve(workDir, "stats-restore"), "CRIU's statistics", "succeeding");
  if (request.manageCgroups.value !== "ignore" && (checkpoint.cgroup?.sets.length ?? 0) > 0)
    if (request.cgroupYard === undefined)
      note("create", "directory", resolve(workDir, ".criu.cgyard.XXXXXX"), "for the moment");
  if (namespaces.created.mnt)
    note("create", "directory", "/tmp/.criu.mntns.XXXXXX", "for the moment");
  for (const script of request.actionScripts) note("run", "program", script, "an action script");
  if (request.execCmd !== undefined)
    note("run", "program", request.execCmd[0]!, "--exec-cmd", "succeeding");
  const loaded = plugins(context);
  for (const name of loaded?.files ?? [])
    note("load", "library", resolve(loaded!.directory, name), "a plugin of CRIU's");
  for (const { ns, target } of request.joinNs) note("join", `${ns} namespace`, target, "--join-ns");
  if (request.autoDedup)
    for (const { file } of checkpoint.pages())
      note("change", "file", resolve(request.imagesDir, file), "pages that were read are cut out");
  return found;
}
