/** `npm run demo`: the incident in small, then a tree that is carried in one file, on real CRIU. Every line that it prints comes from what happened. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../test/restore/stage/compile.ts";
import {
  makeDoomedCgroup,
  openStage,
  ownProgram,
  recriu,
  restoreBare,
  start,
  waitFor,
} from "../test/restore/stage.ts";
import { ask, dumpX11, echoes } from "../test/restore/x11.ts";

const say = (text: string) => console.log(text);
const act = (text: string) => say(`\n== ${text}`);
/** The line of CRIU's log that says what is wrong; complaints about this machine's own limits go before it. */
const complaint = (errors: readonly string[]) =>
  errors.find((line) => /Can't|has bad/.test(line) && !line.includes("rlimit:")) ?? "no error";
const indent = (text: string) => say(text.trimEnd().replace(/^/gm, "   "));

async function incident(): Promise<boolean> {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);

  act(
    "A server on a Unix socket, a client, a SCHED_FIFO|SCHED_RESET_ON_FORK thread, a cgroup of their own",
  );
  const x11 = await dumpX11(stage, doomed === null ? [] : [doomed.cgroup]);
  const { tasks, images, sockets } = x11;
  const before = echoes(x11);
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
  await waitFor("the client to go on", () => echoes(x11) > before + 2);
  say(`   the client is at echo ${echoes(x11)}, over the connection it had`);
  const answer = await ask(x11, "hello");
  say(`   a new connection to ${join(sockets, "X7")} is answered: ${answer}`);
  const verified = await recriu(stage, ["verify", "-D", images]);
  indent(`recriu verify: ${verified.stderr.trim()}`);
  return answer === "hello" && verified.exit === 0;
}

async function carried(): Promise<boolean> {
  await using stage = openStage();
  const pack = join(stage.dir, "app.pack");
  const program = ownProgram(stage, "x11-server");

  act("The same server, with a program and a log of its own: recriu pack --with-files");
  const x11 = await dumpX11(stage, [], program);
  const before = echoes(x11);
  const packed = await recriu(stage, ["pack", "--with-files", x11.images, "-o", pack]);
  indent(packed.stderr);

  const bare = async (what: string) => {
    act(`${what}: criu restore`);
    const { errors, exit } = await restoreBare(stage, x11.images);
    indent(`${complaint(errors)}\nexit ${exit}`);
  };
  rmSync(x11.progress);
  await bare("Then its log is deleted");
  copyFileSync(compile("x11-server", true), program);
  await bare("and its program upgraded");
  await start(stage, "at-pid", [`${x11.pid}`]);
  await bare("and its number taken");
  rmSync(x11.images, { recursive: true });

  act("recriu restore app.pack -d --isolate=auto");
  const words = ["restore", pack, "-d", "--isolate=auto", "-o", "/dev/null"];
  const { exit, stderr } = await recriu(stage, words);
  indent(`${stderr.trimEnd()}\nexit ${exit}`);
  if (exit !== 0) return false;

  act("Do they still talk?");
  await waitFor("the client to go on", () => echoes(x11) > before + 2);
  say(`   the client is at echo ${echoes(x11)}`);
  const answer = await ask(x11, "hello");
  say(`   a new connection is answered: ${answer}`);
  return answer === "hello";
}

const worked = (await incident()) && (await carried());
say(
  worked
    ? "\nThe tree that was saved is the tree that runs."
    : "\nThe demo did not go as it should.",
);
process.exit(worked ? 0 : 1);
