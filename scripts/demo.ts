/** `npm run demo`: the incident in small, on real CRIU. Every line that it prints comes from what happened. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import {
  descendants,
  dump,
  makeDoomedCgroup,
  openStage,
  recriu,
  restoreBare,
  start,
  waitFor,
} from "../test/restore/stage.ts";

const say = (text: string) => console.log(text);
const act = (text: string) => say(`\n== ${text}`);
/** The line of CRIU's log that says what is wrong; complaints about this machine's own limits go before it. */
const complaint = (errors: readonly string[]) =>
  errors.find((line) => line.includes("Can't") && !line.includes("rlimit:")) ?? "no error";
const indent = (text: string) => say(text.trimEnd().replace(/^/gm, "   "));

/** One echo over a new connection. */
function ask(path: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(question));
    socket.once("data", (answer) => {
      socket.destroy();
      resolve(answer.toString());
    });
    socket.once("error", reject);
  });
}

async function demo(): Promise<boolean> {
  await using stage = openStage();
  const sockets = join(stage.dir, ".X11-unix");
  const socket = join(sockets, "X7");
  const progress = join(stage.dir, "progress");
  const doomed = makeDoomedCgroup(stage);

  act(
    "A server on a Unix socket, a client, a SCHED_FIFO|SCHED_RESET_ON_FORK thread, a cgroup of their own",
  );
  const { pid } = await start(stage, "x11-server", [sockets, progress], {
    cgroups: doomed === null ? [] : [doomed.cgroup],
  });
  const tasks = [pid, ...descendants(pid).map((task) => task.pid)];
  const images = await dump(stage, pid);
  const before = readFileSync(progress, "utf8").split("\n").length - 1;
  say(`   tasks ${tasks.join(" and ")} are checkpointed after ${before} echoes, and gone`);

  act("Then the host is rebooted, as it were: the socket's directory and the cgroup are gone");
  rmSync(sockets, { recursive: true });
  doomed?.spoil();

  act("criu restore");
  const first = await restoreBare(stage, images);
  indent(`${complaint(first.errors)}\nexit ${first.exit}`);

  act("criu restore --manage-cgroups=ignore");
  const second = await restoreBare(stage, images, ["--manage-cgroups=ignore"]);
  indent(`${complaint(second.errors)}\nexit ${second.exit}`);

  act("recriu restore");
  const { exit, stderr } = await recriu(stage, ["restore", "-d", "-D", images, "-o", "/dev/null"]);
  indent(`${stderr.trimEnd()}\nexit ${exit}`);
  if (exit !== 0) return false;

  act("Do they still talk?");
  const echoes = () => readFileSync(progress, "utf8").split("\n").length - 1;
  await waitFor("the client to go on", () => echoes() > before + 2);
  say(`   the client is at echo ${echoes()}, over the connection it had`);
  const answer = await ask(socket, "hello");
  say(`   a new connection to ${socket} is answered: ${answer}`);
  const verified = await recriu(stage, ["verify", "-D", images]);
  indent(`recriu verify: ${verified.stderr.trim()}`);
  return answer === "hello" && verified.exit === 0 && existsSync(socket);
}

const worked = await demo();
say(
  worked
    ? "\nThe tree that was saved is the tree that runs."
    : "\nThe demo did not go as it should.",
);
process.exit(worked ? 0 : 1);
