/** What help texts and man pages say of a command beside its options: how it is typed, and what its exit codes mean. */

type Code = 0 | 1 | 2 | 3 | 4 | 5 | 6;

interface Manual {
  /** A command line, and what it does. */
  readonly examples: readonly (readonly [typed: string, does: string])[];
  readonly exits: Readonly<Partial<Record<Code, string>>>;
  /** It ends with 128+n where signal n has ended CRIU. */
  readonly signals?: true;
}

const usage = "the words are not understood, or there is no checkpoint where they say";
const damaged = "the images are unreadable, cut short or hostile: copy the checkpoint again";
const unable = "it could not do what it was asked, and says why";

export const manuals: Readonly<Record<string, Manual>> = {
  restore: {
    examples: [
      [
        "recriu restore -D checkpoint -d",
        "repair what is missing, restore, verify, and let it run",
      ],
      ["recriu restore -D checkpoint --dry-run", "show findings and plan, and change nothing"],
      [
        "recriu restore -D checkpoint --rehearse",
        "restore it, verify it, and discard it before it runs",
      ],
      [
        "recriu restore -D checkpoint --wait=60",
        "wait a minute for a pid or a port that is still taken",
      ],
      [
        "recriu restore -D checkpoint --or-else ./start.sh",
        "start anew where it cannot be restored",
      ],
    ],
    exits: {
      0: "the tree is restored and is the saved one",
      1: "CRIU failed: its own code is passed on; or it got nowhere and was given up. recriu explain reads its log",
      2: usage,
      3: "something blocks the restore that recriu does not repair; nothing was touched",
      5: "the restored tree is not the saved one: it was killed (--verify=gate) or left running (--verify=report)",
      6: damaged,
    },
    signals: true,
  },
  preflight: {
    examples: [
      ["recriu preflight checkpoint", "all that would break a restore here, and the plan"],
      [
        "recriu preflight checkpoint --script >fix.sh",
        "all that a person has to type, as a shell script",
      ],
      ["recriu preflight checkpoint --fix", "make what is missing, and do not restore yet"],
      [
        "recriu preflight checkpoint --untrusted --effects",
        "what the restore of a stranger's checkpoint would do here",
      ],
      ["recriu preflight --list --json", "the checks, for a program"],
    ],
    exits: {
      0: "nothing was found that blocks",
      1: unable,
      2: usage,
      3: "something blocks the restore that recriu does not repair",
      4: "recriu would repair what is in the way: recriu restore does, or preflight --fix",
      6: damaged,
    },
  },
  verify: {
    examples: [
      ["recriu verify -D checkpoint", "compare the tree that runs with its images"],
      ["recriu verify -D checkpoint --pid 4711 --verify=memory", "this tree, its memory, too"],
    ],
    exits: {
      0: "all that was compared is as it was saved, or was changed by the tree itself since",
      1: unable,
      2: usage,
      5: "the tree is not the saved one, or no live tree was found",
      6: damaged,
    },
  },
  show: {
    examples: [
      ["recriu show checkpoint", "the process tree, and what is special about it"],
      ["recriu show checkpoint --sockets --files", "listening addresses, and each descriptor"],
      ["recriu show checkpoint --html page.html", "all of it as a page for a browser"],
      ["recriu show /var/lib/checkpoints", "a line for each checkpoint there"],
      ["recriu show checkpoint --json --pid 7", "one task, for a program"],
    ],
    exits: {
      0: "it was shown",
      1: unable,
      2: usage,
      6: `what could be read was shown; ${damaged}`,
    },
  },
  memory: {
    examples: [
      ["recriu memory checkpoint --pid 7", "the mappings of task 7"],
      ["recriu memory checkpoint --pid 7 --search=password", "where these bytes are"],
      ["recriu memory checkpoint --pid 7 --dump=7f0012340000:256", "the bytes at an address"],
    ],
    exits: {
      0: "it was shown, or found",
      1: "the images do not have these bytes; or it could not do what it was asked, and says why",
      2: "the words are not understood, or there is no such task or checkpoint",
    },
  },
  diff: {
    examples: [
      [
        "recriu diff monday tuesday",
        "what changed, and what the second would need here that the first did not",
      ],
      ["recriu diff monday.tar tuesday.tar --json", "archives that Podman exported, for a program"],
    ],
    exits: {
      0: "they do not differ",
      1: "they differ; or it could not compare them, and says why",
      2: usage,
      6: damaged,
    },
  },
  explain: {
    examples: [
      ["recriu explain restore.log", "the first real error in a log, its cause, what to do"],
      ["journalctl -u podman | recriu explain -", "the same of what others have logged"],
      ["recriu explain unix-socket-dir", "the page of a check"],
      ["recriu explain 5", "what an exit code means"],
    ],
    exits: {
      0: "it was explained",
      1: "nothing is known of these words, or of the cause in the log",
      2: "the words are not understood, or there is no log that can be read",
    },
  },
  seal: {
    examples: [
      ["recriu seal checkpoint", "write down what its images are"],
      [
        "recriu seal checkpoint --root /srv/rootfs",
        "and what the files are that its tree needs below that root",
      ],
    ],
    exits: { 0: "it is sealed", 1: "the manifest could not be written", 2: usage, 6: damaged },
  },
  pack: {
    examples: [
      [
        "recriu pack checkpoint -o app.tar --with-criu",
        "all that restores it, CRIU too, in one archive",
      ],
      [
        "recriu pack checkpoint -o app.tar -- --tcp-close",
        "its restore.sh restores with this option",
      ],
    ],
    exits: {
      0: "the archive is there",
      1: "the archive could not be written",
      2: usage,
      6: "the checkpoint is not sealed, or is not as it was sealed",
    },
  },
  undo: {
    examples: [["recriu undo", "take back what a killed recriu had made"]],
    exits: {
      0: "nothing of it is left",
      1: "something is left, or may be, and it says what",
      2: "the words are not understood",
    },
  },
  last: {
    examples: [
      ["recriu last", "why the last restore was refused or failed"],
      ["recriu last --all --json", "every one that is kept, for a program"],
    ],
    exits: {
      0: "it was told, or none is kept",
      1: "what is kept cannot be read",
      2: "the words are not understood",
    },
  },
  doctor: {
    examples: [
      ["recriu doctor", "this machine's CRIU, kernel, rights and runtimes"],
      ["recriu doctor --criu /opt/criu/sbin/criu", "with another CRIU"],
    ],
    exits: {
      0: "trees can be restored here",
      1: unable,
      2: "the words are not understood",
      3: "something is missing without which nothing is restored",
    },
  },
  install: {
    examples: [
      [
        "recriu install --runtime=podman --dry-run",
        "the files that it would write, and their lines",
      ],
      ["recriu install --runtime=podman,containerd", "their restores go through recriu"],
      ["recriu install --criu", "recriu by the name of criu, first in PATH"],
    ],
    exits: {
      0: "it is installed",
      1: "it could not be installed, and it says why; nothing of it is left",
      2: "the words are not understood",
    },
  },
  uninstall: {
    examples: [
      ["recriu uninstall", "take recriu out of all of them"],
      ["recriu uninstall --runtime=podman", "out of this one"],
    ],
    exits: {
      0: "all is as it was before",
      1: "something is not, and it says what",
      2: "the words are not understood",
    },
  },
  completion: {
    examples: [
      ["recriu completion bash >/etc/bash_completion.d/recriu", "for every user of bash"],
      ["source <(recriu completion zsh)", "for this zsh"],
      ["recriu completion fish >~/.config/fish/completions/recriu.fish", "for this user of fish"],
    ],
    exits: { 0: "it was printed", 2: "the words are not understood" },
  },
};
