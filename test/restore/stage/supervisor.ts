/** Bun's side of test/workloads/supervisor.c, the parent of everything on a stage. */

export interface Child {
  readonly pid: number;
  /** Exit code, 128+n after signal n; null while it runs. */
  status: number | null;
  /** Settles with `status` once the supervisor has reaped it, so that its pid is free. */
  readonly exited: Promise<number>;
}

export interface Supervisor {
  /** The parent of all; known once the first command was started. */
  readonly pid: number;
  /** Starts a command in its own session, stdin and whatever is not named on /dev/null. */
  spawn(argv: string[], files?: { stdout?: string; stderr?: string; cwd?: string }): Promise<Child>;
  /** Kills and reaps every descendant, then cleans up. */
  close(): Promise<void>;
}

/** wait(2)'s status as a shell shows it. */
function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal ? 128 + signal : (status >> 8) & 0xff;
}

/** Starts it by its words, behind which stands the command that it becomes when all else is gone. */
export function startSupervisor(words: string[]): Supervisor {
  const supervisor = Bun.spawn(words, {
    // Else it is that of the test's own beginning, before its preload.
    env: process.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  let own = 0;
  const starting: ((pid: number) => void)[] = [];
  const running = new Map<number, (status: number) => void>();

  function event(line: string): void {
    const [kind, pid, status] = line.split(" ");
    if (kind === "supervisor") own = Number(pid);
    else if (kind === "started") starting.shift()?.(Number(pid));
    else running.get(Number(pid))?.(exitCode(Number(status))); // adopted children nobody awaits
  }

  async function listen(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of supervisor.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) event(line);
    }
  }
  const listening = listen();

  return {
    get pid() {
      return own;
    },
    async spawn(argv, files = {}) {
      const fields = [
        files.stdout ?? "/dev/null",
        files.stderr ?? "/dev/null",
        files.cwd ?? "/",
        ...argv,
      ];
      const bad = fields.find((field) => /[\t\n]/.test(field));
      if (bad !== undefined) throw new Error(`tab or newline in ${JSON.stringify(bad)}`);
      return new Promise<Child>((resolve) => {
        starting.push((pid) => {
          // Registered in the same turn as `started` is read: `exited` cannot be missed.
          const { promise, resolve: settle } = Promise.withResolvers<number>();
          const child: Child = { pid, status: null, exited: promise };
          running.set(pid, (status) => {
            running.delete(pid);
            child.status = status;
            settle(status);
          });
          resolve(child);
        });
        supervisor.stdin.write(`${fields.join("\t")}\n`);
        supervisor.stdin.flush();
      });
    },
    async close() {
      await supervisor.stdin.end();
      const exit = await supervisor.exited;
      await listening;
      if (exit !== 0) throw new Error(`the stage's clean-up exits ${exit}`);
    },
  };
}
