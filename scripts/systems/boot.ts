/** One boot of a system, from its power-on to its power-off. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../test/built.ts";
import type { System } from "./system.ts";

/** Debian 13's QEMU, which emulates in two thirds of the time that Debian 12's takes; unpacked by scripts/setup, started by its own loader. */
const qemu = join(repository, ".cache/systems/qemu/usr");
const started = [
  join(qemu, "lib64/ld-linux-x86-64.so.2"),
  "--library-path",
  join(qemu, "lib/x86_64-linux-gnu"),
];

/** A test may take so long, and so may what comes before the first: a system that says nothing for longer hangs. */
const silence = 600_000;

/** Of one boot: what it is started from, the disk that outlasts it, what is /mnt there, and /mnt/carried, which all systems have. */
export interface Places {
  readonly machine: string;
  readonly project: string;
  readonly share: string;
  readonly carried: string;
}

/** The words that start it. Its own disk forgets. */
function words(system: System, { machine, project, share, carried }: Places): string[] {
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
    ["m", "3G"],
    ["display", "none"],
    ["serial", "stdio"],
    ["kernel", at("vmlinuz")],
    ["initrd", at("initrd")],
    ["append", `console=${serial} quiet panic=-1 no_timer_check JOB=tests ${init}`],
    ...disk("root", at("disk"), "on"),
    ...disk("project", project, "off"),
    ["virtfs", `local,path=${share},mount_tag=out,security_model=none`],
    ["virtfs", `local,path=${carried},mount_tag=carried,security_model=none`],
    ["device", "virtio-rng-pci"],
  ];
  const program = join(qemu, "bin", arm ? "qemu-system-aarch64" : "qemu-system-x86_64");
  const firmware = ["qemu", "seabios"].flatMap((name) => ["-L", join(qemu, "share", name)]);
  const bare = ["-nodefaults", "-no-user-config", "-no-reboot"];
  return [
    ...started,
    program,
    ...firmware,
    ...bare,
    ...options.flatMap(([name, value]) => [`-${name}`, value]),
  ];
}

/** Runs these files in it, as far as it comes in so many seconds. `share` has afterwards what they printed (`log`), what the system is (`about`), and its console. Returns the seconds of processor time that it took. */
export async function boot(
  system: System,
  places: Places,
  files: readonly string[],
  seconds: number,
  tell: (line: string) => void,
): Promise<number> {
  const { share } = places;
  rmSync(share, { recursive: true, force: true });
  mkdirSync(join(share, "carried"), { recursive: true });
  writeFileSync(join(share, "tests"), files.map((file) => `${file}\n`).join(""));
  writeFileSync(join(share, "seconds"), `${seconds}\n`);
  const machine = Bun.spawn(words(system, places), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const ended = () => machine.kill("SIGKILL");
  process.once("exit", ended);
  const late = () => {
    tell(`it said nothing for ${silence / 1000} s, and is ended`);
    ended();
  };
  let timer = setTimeout(late, silence);
  const said = Bun.file(join(share, "console")).writer();
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of machine.stdout) {
    clearTimeout(timer);
    timer = setTimeout(late, silence);
    said.write(chunk);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) tell(line);
  }
  clearTimeout(timer);
  await machine.exited;
  await said.end();
  process.off("exit", ended);
  return Number(machine.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
}
