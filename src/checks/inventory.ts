/** What the checkpoint as a whole says of itself and asks of the restore (image.c, check_img_inventory). */
import { core_entry } from "../image/tables/process.ts";
import { knows } from "../criu/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";

const inventoryImage = { task: null, image: "inventory.img", severity: "blocker" } as const;

export const imageVersion: Check = {
  id: "image-version",
  title: "The images are of a kind that CRIU does not read",
  reads: "img_version, fdinfo_per_id and root_cg_set in inventory.img",
  why: "CRIU reads images of version 1 and 2 (all since CRIU 1.0). Others are of a version to come, as the compressed ones of CRIU 4.3, or the inventory is damaged.",
  proof: "criu",
  run({ checkpoint: { inventory } }) {
    if (inventory === undefined) return [];
    const problems: [field: string, message: string, criu: string, text: string][] = [];
    const again = "dump again with a CRIU of today, or copy inventory.img again";
    if (!inventory.fdinfo_per_id)
      problems.push([
        "fdinfo_per_id",
        "the images are of a CRIU before 1.0, which no CRIU of today reads",
        "Too old image, no longer supported",
        again,
      ]);
    else if (inventory.root_cg_set === 0)
      problems.push([
        "root_cg_set",
        "the inventory names cgroup set 0, which there is none of: it is damaged",
        "Corrupted root cgset",
        again,
      ]);
    else if (inventory.img_version !== 1 && inventory.img_version !== 2)
      problems.push([
        "img_version",
        `the images are of version ${inventory.img_version}; recriu knows 1 and 2, as CRIU before 4.3`,
        `Not supported images version ${inventory.img_version}`,
        "restore with the CRIU that made them, without recriu: criu restore",
      ]);
    return problems.map(([subject, message, criu_message, text]) => ({
      id: "image-version",
      ...inventoryImage,
      subject,
      message,
      criu_message,
      remedy: { kind: "human", text, command: null },
    }));
  },
};

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
  id: "image-deprecated",
  title: "The images use a form that CRIU has given up",
  reads:
    "timers and rlimits in core-*.img; entries of inotify-wd.img, fanotify-mark.img and eventpoll-tfd.img; --deprecated",
  why:
    "Very old versions of CRIU stored timers, limits and watches in images of their own. Later ones read them only with --deprecated " +
    "(or CRIU_DEPRECATED in the environment), which changes nothing else.",
  proof: "criu",
  run(context) {
    const { request } = context;
    if (request.deprecated) return [];
    const seen = new Set<string>();
    return deprecated(context).flatMap(([what, image, task]): Finding[] => {
      if (seen.has(what)) return [];
      seen.add(what);
      return [
        {
          id: "image-deprecated",
          severity: "blocker",
          task,
          image,
          subject: what,
          message: `${image} is of a very old CRIU (${what}), which is read only when asked for`,
          criu_message: `Deprecated functionality (${what}) rejected.`,
          remedy: {
            kind: "option",
            text: "let CRIU read old images",
            command: null,
            option: "--deprecated",
            automatic: !request.explicit.has("deprecated"),
          },
        },
      ];
    });
  },
};

export const tcpCloseNeeded: Check = {
  id: "tcp-close-needed",
  title: "The tree was dumped with --tcp-close",
  reads: "tcp_close in inventory.img; --tcp-close",
  why:
    "With --tcp-close a dump leaves the state of TCP connections out, and CRIU wants to be told at the restore too that they are lost. " +
    "Whoever restores must know that peers will see them closed, so recriu does not say it in his place.",
  proof: "criu",
  run: ({ checkpoint, request }) =>
    !checkpoint.inventory?.tcp_close || request.tcpClose
      ? []
      : [
          {
            id: "tcp-close-needed",
            ...inventoryImage,
            subject: "--tcp-close",
            message: "the tree was dumped with --tcp-close: its TCP connections were not saved",
            criu_message: "Need to set the --tcp-close options.",
            remedy: {
              kind: "option",
              text: "restore it with closed connections; the images hold no others",
              command: null,
              option: "--tcp-close",
              automatic: false,
            },
          },
        ],
};

export const allowUprobesNeeded: Check = {
  id: "allow-uprobes-needed",
  title: "The tree was dumped with --allow-uprobes",
  reads: "allow_uprobes in inventory.img; --allow-uprobes; the version of CRIU",
  why:
    "A tracer's uprobes add a mapping that CRIU leaves out, when it was allowed to at the dump and is again at the restore (from 4.2 on). " +
    "The option only permits that; the tracer must set its probes anew.",
  proof: "images",
  run({ checkpoint, request, criu }) {
    const able = knows(criu?.version, "uprobes", false);
    if (!checkpoint.inventory?.allow_uprobes || request.allowUprobes || !able) return [];
    return [
      {
        id: "allow-uprobes-needed",
        ...inventoryImage,
        subject: "--allow-uprobes",
        message: "the tree was dumped with --allow-uprobes, which the restore must be given too",
        criu_message: "Dumped with --allow-uprobes. Need to set it on restore as well.",
        remedy: {
          kind: "option",
          text: "permit it here too",
          command: null,
          option: "--allow-uprobes",
          automatic: !request.explicit.has("allow-uprobes"),
        },
      },
    ];
  },
};
