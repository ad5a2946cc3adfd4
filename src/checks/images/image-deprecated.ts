import { core_entry } from "../../image/tables/process.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** Old ways to store things, in the order in which CRIU refuses them (deprecated_ok): its word for it, and the image. */
function deprecated({ checkpoint }: Context): [what: string, image: string, task: number | null][] {
  const found: [string, string, number | null][] = [];
  const marks = "separate images for fsnotify marks";
  // CRIU looks for these only where there is no files.img yet.
  const before = checkpoint.holdsEntries("files.img")
    ? []
    : ([
        ["Epoll TFD image", "eventpoll-tfd.img"],
        [marks, "inotify-wd.img"],
        [marks, "fanotify-mark.img"],
      ] as const);
  for (const [what, image] of before)
    if (checkpoint.holdsEntries(image)) found.push([what, image, null]);
  for (const { pid } of livingTasks(checkpoint)) {
    // As it is written: the task's own has limits from wherever they are.
    const image = `core-${pid}.img`;
    const { tc } = checkpoint.values(image, core_entry)[0] ?? {};
    if (tc === undefined) continue;
    if (tc.timers === undefined) found.push(["Posix timers", image, pid]);
    if (tc.rlimits === undefined) found.push(["Rlimits", image, pid]);
  }
  return found;
}

export const imageDeprecated: Check = {
  title: "The images use a form that CRIU has given up",
  reads:
    "timers and rlimits in core-*.img; entries of inotify-wd.img, fanotify-mark.img and eventpoll-tfd.img; --deprecated",
  why:
    "Very old versions of CRIU stored timers, limits and watches in images of their own. Later ones read them only with --deprecated " +
    "(or CRIU_DEPRECATED in the environment), which changes nothing else.",
  proof: "criu",
  answers: ["option"],
  run(context) {
    const { request } = context;
    if (request.deprecated) return [];
    const seen = new Set<string>();
    return deprecated(context)
      .values()
      .flatMap(([what, image, task]): Problem[] => {
        if (seen.has(what)) return [];
        seen.add(what);
        return [
          {
            severity: "blocker",
            task,
            image,
            subject: what,
            message: `${image} is of a very old CRIU (${what}), which is read only when asked for`,
            criu_message: `Deprecated functionality (${what}) rejected.`,
            remedy: {
              kind: "option",
              text: "let CRIU read old images",
              option: "--deprecated",
              automatic: !request.explicit.has("deprecated"),
            },
          },
        ];
      });
  },
};
