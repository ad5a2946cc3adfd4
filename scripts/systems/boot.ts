/** One boot of a system, from its power-on to its power-off. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { System } from "./system.ts";

/** A file of tests may take so long, and so may what comes before the first: a system that says nothing for longer hangs. */
const silence = 1_000_000;

/** The words that start it: its disk forgets, the project's does not; `share` is /mnt there. */
function words(system: System, machine: string, project: string, share: string): string[] {
  const arm = system.architecture === "arm64";
  const serial = arm ? "ttyAMA0" : "ttyS0";
  const init = system.systemd
    ? "INIT=/lib/systemd/systemd systemd.unit=tests.target systemd.firstboot=off"
    : "";
  const at = (file: string) => join(machine, file);
  const disk = (id: string, file: string, forgets: "on" | "off"): [string, string][] => [
    ["drive", `file=${file},format=raw,if=none,id=${id},snapshot=${forgets}`],
    ["device", `virtio-blk-pci,drive=${id}`],
  ];
  const options: [name: string, value: string][] = [
    ["M", arm ? "virt" : "q35"],
    ["accel", "tcg,thread=multi"],
    ["cpu", system.cpu],
    ["smp", `${system.processors}`],
    ["m", "3G"],
    ["display", "none"],
    ["serial", "stdio"],
    ["kernel", at("vmlinuz")],
    ["initrd", at("initrd")],
    ["append", `console=${serial} quiet panic=-1 no_timer_check JOB=tests ${init}`],
    ...disk("root", at("disk"), "on"),
    ...disk("project", project, "off"),
    ["virtfs", `local,path=${share},mount_tag=out,security_model=none`],
    ["device", "virtio-rng-pci"],
  ];
  const program = arm ? "qemu-system-aarch64" : "qemu-system-x86_64";
  const bare = ["-nodefaults", "-no-user-config", "-no-reboot"];
  return [program, ...bare, ...options.flatMap(([name, value]) => [`-${name}`, value])];
}

/**
 * Runs these files in it. `share` has what came of the N-th afterwards, N.xml and N.log, what the system is (`about`), and its
 * console. Each line of the console is told. A system that hangs is ended.
 */
export async function boot(
  system: System,
  places: { readonly machine: string; readonly project: string; readonly share: string },
  files: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  const { machine, project, share } = places;
  rmSync(share, { recursive: true, force: true });
  mkdirSync(share, { recursive: true });
  writeFileSync(join(share, "tests"), files.map((file) => `${file}\n`).join(""));
  const qemu = Bun.spawn(words(system, machine, project, share), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const end = () => {
    tell(`it said nothing for ${silence / 1000} s, and is ended`);
    qemu.kill("SIGKILL");
  };
  const ended = () => qemu.kill("SIGKILL");
  process.once("exit", ended);
  let timer = setTimeout(end, silence);
  const said = Bun.file(join(share, "console")).writer();
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of qemu.stdout) {
    clearTimeout(timer);
    timer = setTimeout(end, silence);
    said.write(chunk);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) tell(line);
  }
  clearTimeout(timer);
  await qemu.exited;
  await said.end();
  process.off("exit", ended);
}
