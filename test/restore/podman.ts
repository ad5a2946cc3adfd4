/** Podman 4.3.1 of scripts/setup, with a store of its own below the stage. */
import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBin, makeSystem, program } from "./engine.ts";
import { criu, type Stage } from "./stage.ts";

export async function podmanOn(stage: Stage) {
  const bin = makeBin(stage);
  const at = (name: string) => join(stage.dir, name);
  mkdirSync(at("system/etc/containers"), { recursive: true });
  const policy = { default: [{ type: "insecureAcceptAnything" }] };
  writeFileSync(at("system/etc/containers/policy.json"), JSON.stringify(policy));
  const runtimes = `[engine]\nruntime = "runc"\n[engine.runtimes]\nrunc = ["${bin}/runc"]\n`;
  writeFileSync(at("system/etc/containers/containers.conf"), runtimes);
  const system = await makeSystem(stage, {
    HOME: stage.dir,
    PATH: `${bin}:${process.env["PATH"]}`,
    RECRIU_CRIU: criu,
    NO_COLOR: "1",
  });
  const options = {
    root: at("S"),
    runroot: at("R"),
    tmpdir: at("T"),
    "cgroup-manager": "cgroupfs",
    "events-backend": "file",
    "storage-driver": "vfs",
    conmon: program("conmon"),
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // So that whoever calls podman by its name has this store, too.
  const script = `#!/bin/sh\nexec ${program("podman")} ${words.join(" ")} "$@"\n`;
  writeFileSync(join(bin, "podman"), script, { mode: 0o755 });
  const podman = (given: string[]) => system.run([join(bin, "podman"), ...given]);
  const ok = async (...given: string[]) => {
    const done = await podman(given);
    expect([given[0], done.exit, done.stderr]).toEqual([given[0]!, 0, done.stderr]);
    return done.stdout.trim();
  };
  /** /etc/recriu/recriu.conf with a line, or gone. */
  const configure = (line?: string) => {
    const make = `mkdir -p /etc/recriu && echo "${line}" >/etc/recriu/recriu.conf`;
    return system.run(["sh", "-c", line === undefined ? "rm -r /etc/recriu" : make]);
  };
  return { bin, system, configure, podman, ok };
}
