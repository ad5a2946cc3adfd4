import { knows } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { setting } from "./kernel-objects.ts";
import { openFiles } from "./watches.ts";

export const inotifyLimit: Check = {
  title: "This machine allows fewer inotify instances or watches than the tree has",
  reads: "inotify entries in files.img; fs.inotify.max_user_instances and max_user_watches",
  why: "Both are limits for all that one user has. What others have in use already is not counted here.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const instances = openFiles(context, "ify");
    const first = instances[0];
    if (first === undefined) return [];
    const words = knows(context.criu?.version, "watchWords", false)
      ? [
          "Can't create inotify fd for id 0x0 (flags 0x0): Too many open files",
          "Can't add inotify watch for fd 0 wd 0x0 (dev 0x0 ino 0x0 mask 0x0): No space left on device",
        ]
      : [
          "Can't create inotify for 0x0: Too many open files",
          "Can't add watch for 0x0 with 0x0: No space left on device",
        ];
    const image = `files.img id 0x${first.id.toString(16)}`;
    const watches = instances.reduce((sum, { entry }) => sum + entry.wd.length, 0);
    const finding = (name: string, wanted: number, what: string, said: string): Problem[] => {
      const most = setting(context, name);
      if (most === undefined || wanted <= most) return [];
      return [
        {
          severity: "blocker",
          task: first.task,
          image,
          subject: name.replaceAll("/", "."),
          message: `the tree has ${wanted} inotify ${what}, and ${name.replaceAll("/", ".")} is ${most}`,
          criu_message: `fsnotify: ${said}`,
          remedy: raised(name, { from: most, to: wanted + 128, stays: true }),
        },
      ];
    };
    return [
      ...finding("fs/inotify/max_user_instances", instances.length, "instances", words[0]!),
      ...finding("fs/inotify/max_user_watches", watches, "watches", words[1]!),
    ];
  },
};
