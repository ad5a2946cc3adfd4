import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Request, requestFrom } from "../../src/criu/index.ts";

type Files = Record<string, string>;
/** Paths are absolute from where they are read on. */
const cwd = process.cwd();

function asked(words: string | string[], env: Record<string, string> = {}, files: Files = {}) {
  const argv = typeof words !== "string" ? words : words === "" ? [] : words.split(" ");
  return requestFrom(argv, env, undefined, (path) => files[path]);
}

function request(
  words: string | string[],
  env: Record<string, string> = {},
  files: Files = {},
): Request {
  const result = asked(words, env, files);
  if (!result.ok) throw new Error(result.problem || result.asked);
  return result.request;
}

function own(words: string, env: Record<string, string> = {}, files: Files = {}) {
  const result = asked(words, env, files);
  return result.ok ? result.settings : result.problem;
}

describe("options and what they ask", () => {
  const cases: [words: string, asks: Partial<Request>][] = [
    [
      "",
      {
        imagesDir: cwd,
        workDir: cwd,
        detached: false,
        logFile: undefined,
        libdir: undefined,
        cpuCap: undefined,
        fileValidation: "buildid",
      },
    ],
    ["-D x", { imagesDir: `${cwd}/x`, workDir: `${cwd}/x` }],
    ["-D x -D y", { imagesDir: `${cwd}/y`, workDir: `${cwd}/y` }],
    [
      "-D x -W w -o log --pidfile pid",
      {
        imagesDir: `${cwd}/x`,
        workDir: `${cwd}/w`,
        logFile: `${cwd}/w/log`,
        pidfile: `${cwd}/w/pid`,
      },
    ],
    ["-D x -o /log", { logFile: "/log" }],
    ["-D x -o -", { logFile: "-" }],
    ["-o log", { logFile: `${cwd}/log` }],
    ["-D x -r rootfs -L lib", { root: "/rootfs", libdir: `${cwd}/x/lib` }],
    ["-d", { detached: true }],
    ["--daemon", { detached: true }],
    ["-d --no-daemon", { detached: false }],
    ["-d --no-restore-detached", { detached: false }],
    ["-dS", { detached: true, sibling: true }],
    ["-s", { leaveStopped: true }],
    ["-s -R", { leaveStopped: false }],
    ["-j -l -x", { shellJob: true, fileLocks: true, extUnixSk: true }],
    ["-j --no-shell-job", { shellJob: false }],
    ["--tcp-est --no-tcp-close", { tcpEstablished: true, tcpClose: false }],
    ["--manage-cgroups", { manageCgroups: { value: "soft", explicit: true } }],
    ["--manage-cgroups=ignore", { manageCgroups: { value: "ignore", explicit: true } }],
    ["-t 5", { manageCgroups: { value: "soft", explicit: false } }],
    [
      "--cgroup-root /new --cgroup-root cpu:/c",
      {
        cgroupRoot: [
          { controller: undefined, path: "/new" },
          { controller: "cpu", path: "/c" },
        ],
      },
    ],
    [
      "--external mnt[a]:/b --external dev[x]:/dev/y --external net[4]:ns",
      {
        external: [
          { kind: "mnt", key: "a", value: "/b" },
          { kind: "dev", key: "x", value: "/dev/y" },
          { kind: "net", key: "4", value: "ns" },
        ],
      },
    ],
    ["-D i --external mnt[a]:b", { external: [{ kind: "mnt", key: "a", value: "/b" }] }],
    [
      "-D i --mntns-compat-mode --external mnt[a]:b",
      { external: [{ kind: "mnt", key: "a", value: `${cwd}/i/b` }] },
    ],
    ["--external unix[7]", { external: [{ kind: "unix", key: "7", value: undefined }] }],
    ["--external mnt[]:m", { external: [], autodetectExtMounts: true }],
    ["--external mnt[]:s", { autodetectExtMounts: true }],
    ["-M auto", { autodetectExtMounts: true, external: [] }],
    [
      "-M k:/p --veth-pair eth0=veth7",
      {
        external: [
          { kind: "mnt", key: "k", value: "/p" },
          { kind: "veth", key: "eth0", value: "veth7" },
        ],
      },
    ],
    [
      "--inherit-fd fd[5]:pipe:[77] --status-fd 9 --inherit-fd debug[2]:text",
      { inheritFds: [{ fd: 5, key: "pipe:[77]" }], fds: [5, 9, 2] },
    ],
    [
      "-J net:1234 -J user:1,2,3",
      {
        joinNs: [
          { ns: "net", target: "1234", options: undefined },
          { ns: "user", target: "1", options: "2,3" },
        ],
      },
    ],
    ["--empty-ns net", { emptyNs: ["net"] }],
    ["-D i --action-script ./a --action-script b", { actionScripts: [`${cwd}/i/a`, "b"] }],
    ["--exec-cmd -- sh -c x", { execCmd: ["sh", "-c", "x"] }],
    ["--cpu-cap", { cpuCap: ["fpu", "cpu", "ins"] }],
    ["--cpu-cap=cpu", { cpuCap: ["fpu", "ins", "cpu"] }],
    ["--cpu-cap=none", { cpuCap: undefined }],
    ["--cpu-cap=none,cpu", { cpuCap: ["cpu"] }],
    ["--cpu-cap=^fpu", { cpuCap: ["ins"] }],
    [
      "--file-validation filesize --skip-file-rwx-check",
      { fileValidation: "filesize", skipFileRwxCheck: true },
    ],
    ["--lsm-profile a:b --lsm-mount-context c", { lsmProfile: "a:b" }],
    [
      "--lazy-pages --stream --unprivileged --weak-sysctls --mntns-compat-mode --allow-uprobes --auto-dedup",
      {
        lazyPages: true,
        stream: true,
        unprivileged: true,
        weakSysctls: true,
        mntnsCompatMode: true,
        allowUprobes: true,
        autoDedup: true,
      },
    ],
  ];
  test.each(cases)("%s", (words, asks) => {
    expect(request(words)).toMatchObject(asks as Record<string, unknown>);
  });

  test("a path is absolute from where CRIU opens it, and is named as it was typed", () => {
    const dir = mkdtempSync(join(tmpdir(), "recriu-paths-"));
    try {
      mkdirSync(join(dir, "far/work"), { recursive: true });
      symlinkSync(join(dir, "far/work"), join(dir, "link"));
      const words = `-D . -W ${dir}/link --cgroup-yard ../../yard -r ..hidden -L ../../../../../../../x`;
      const { imagesDir, cgroupYard, root, libdir, typed } = request(words);
      expect({ imagesDir, cgroupYard, root, libdir }).toEqual({
        imagesDir: cwd,
        cgroupYard: `${dir}/yard`,
        root: "/..hidden",
        libdir: "/x",
      });
      expect([imagesDir, cgroupYard!].map((path) => typed.get(path))).toEqual([".", "../../yard"]);
    } finally {
      rmSync(dir, { recursive: true });
    }
    const vouched = asked("--allow-grown a/b --allow-grown /c");
    expect(vouched.ok && vouched.settings.allowGrown).toEqual([`${cwd}/a/b`, "/c"]);
    const device = request("-D i --external dev[x]:y --external veth[a]:b");
    expect(device.external.map(({ value }) => value)).toEqual(["/y", "b"]);
  });

  test("argv is what was typed, explicit is what it named", () => {
    const { argv, explicit } = request("-dj --imag x --json --no-tcp-close --fix=none");
    expect(argv).toEqual(["-dj", "--imag", "x", "--no-tcp-close"]);
    expect([...explicit]).toEqual(["restore-detached", "shell-job", "images-dir", "tcp-close"]);
  });

  test("CRIU's environment counts", () => {
    expect(request("", { CRIU_DEPRECATED: "" }).deprecated).toBe(true);
    expect(request("", { CRIU_LIBS_DIR: "/l" }).libdir).toBe("/l");
    expect(request("-L /m", { CRIU_LIBS_DIR: "/l" }).libdir).toBe("/m");
  });
});

describe("what CRIU refuses before it looks at an image", () => {
  const cases: [words: string, problem: RegExp][] = [
    ["--manage-cgroups ignore", /'ignore'; is --manage-cgroups=ignore meant/],
    ["-v 4", /'4'; is --verbosity=4 meant/],
    ["--fix none", /'none'; is --fix=none meant/],
    ["a b", /takes no argument 'a'$/],
    [
      "--manage-cgroups=soff",
      /--manage-cgroups is ignore, none, props, soft, full, strict; not 'soff'/,
    ],
    ["--cpu-cap=avx", /--cpu-cap/],
    ["--file-validation md5", /--file-validation is filesize, buildid/],
    ["--network-lock ebpf", /--network-lock/],
    ["--empty-ns pid", /--empty-ns/],
    ["-t 0", /--tree/],
    ["-t x", /--tree/],
    ["-x0", /--ext-unix-sk/],
    ["-x1,b", /--ext-unix-sk/],
    ["--inherit-fd 5:x", /--inherit-fd/],
    ["--inherit-fd fd[5]", /--inherit-fd/],
    ["--inherit-fd fd[5]:", /--inherit-fd/],
    ["--inherit-fd fd[-1]:x", /--inherit-fd/],
    ["-J pid:1", /--join-ns/],
    ["-J net", /--join-ns/],
    ["--veth-pair a", /--veth-pair/],
    ["-M a", /--ext-mount-map/],
    ["--external mnt[]:x", /--external/],
    ["--status-fd x", /--status-fd/],
    ["--ms", /--ms/],
    ["-S", /--restore-sibling needs --restore-detached/],
    ["-d --exec-cmd -- true", /exclude each other/],
    ["--exec-cmd", /--exec-cmd wants a command/],
    ["--empty-ns net -J net:1", /exclude each other/],
    ["--bogus", /^unrecognized option '--bogus'$/],
  ];
  test.each(cases)("%s", (words, problem) => {
    const result = asked(words);
    expect(result).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
    expect(result).not.toHaveProperty("asked");
  });

  test("help and version are no mistakes", () => {
    expect(asked("-D x --help --bogus")).toEqual({ ok: false, asked: "help", problem: "" });
    expect(asked("-dh")).toEqual({ ok: false, asked: "help", problem: "" });
    expect(asked("-V")).toEqual({ ok: false, asked: "version", problem: "" });
  });
});

describe("configuration files", () => {
  const etc = "/etc/criu/default.conf";

  test("later files and the command line win, lists grow", () => {
    const env = { HOME: "/h", CRIU_CONFIG_FILE: "/e" };
    const files = {
      [etc]: "log-file etc\nweak-sysctls\naction-script /1\n",
      "/h/.criu/default.conf": "log-file home\naction-script /2\ntcp-close\n",
      "/e": "log-file env\naction-script /3\n",
    };
    const read = request("-o argv --no-tcp-close --action-script /4", env, files);
    expect(read).toMatchObject({
      logFile: `${cwd}/argv`,
      weakSysctls: true,
      tcpClose: false,
      actionScripts: ["/1", "/2", "/3", "/4"],
    });
    expect(read.configFiles).toEqual([etc, "/h/.criu/default.conf", "/e"]);
    expect(request("", env, files).logFile).toBe(`${cwd}/env`);
    expect(request("--config /none", env, files).logFile).toBe(`${cwd}/env`);
    expect(request("--no-default-config", { HOME: "/h" }, files).logFile).toBeUndefined();
  });

  test("an optional value after a space is lost on CRIU, so here", () => {
    const { manageCgroups, cpuCap } = request(
      "",
      {},
      { [etc]: "manage-cgroups ignore\ncpu-cap none\n" },
    );
    expect(manageCgroups).toEqual({ value: "soft", explicit: true });
    expect(cpuCap).toEqual(["fpu", "cpu", "ins"]);
  });

  test("their options are explicit, their words are not CRIU's argv", () => {
    const { argv, explicit } = request("-d", {}, { [etc]: "tcp-close\n" });
    expect(argv).toEqual(["-d"]);
    expect(explicit.has("tcp-close")).toBe(true);
  });

  test("a mistake in one names the file", () => {
    expect(asked("", {}, { [etc]: "\nroot b cc\n" })).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^\/etc\/criu\/default\.conf:2: /),
    });
    expect(asked("", {}, { [etc]: "bogus\n" })).toMatchObject({
      ok: false,
      problem: `${etc}: unrecognized option '--bogus'`,
    });
  });
});

describe("own options", () => {
  const file = (text: string) => ({ "/etc/recriu/recriu.conf": text });

  test("defaults", () => {
    expect(own("")).toMatchObject({
      dryRun: false,
      fix: "safe",
      verify: "gate",
      ignore: [],
      criu: undefined,
      json: false,
    });
  });

  test("command line over environment over file", () => {
    const files = file("fix none\nverify=report\nignore a,b\ncriu /f\n");
    expect(own("", {}, files)).toMatchObject({
      fix: "none",
      verify: "report",
      ignore: ["a", "b"],
      criu: "/f",
    });
    const env = { RECRIU_FIX: "safe", RECRIU_VERIFY: "off", RECRIU_IGNORE: "c", RECRIU_CRIU: "/e" };
    expect(own("", env, files)).toMatchObject({
      fix: "safe",
      verify: "off",
      ignore: ["c"],
      criu: "/e",
    });
    expect(
      own("--fix=none --verify gate --ignore=d --ignore e,f --criu /c", env, files),
    ).toMatchObject({ fix: "none", verify: "gate", ignore: ["d", "e", "f"], criu: "/c" });
  });

  test("an empty variable is none, an empty --ignore= ignores nothing", () => {
    expect(
      own("", { RECRIU_FIX: "", RECRIU_IGNORE: "" }, file("fix none\nignore a\n")),
    ).toMatchObject({ fix: "none", ignore: ["a"] });
    expect(own("--ignore=", { RECRIU_IGNORE: "a" })).toMatchObject({ ignore: [] });
  });

  test("a bare --fix asks for repairs and is given", () => {
    const options = own("--fix --dry-run --json", { RECRIU_FIX: "none" });
    expect(options).toMatchObject({ fix: "safe", dryRun: true, json: true });
    expect(typeof options !== "string" && [...options.onCommandLine.keys()]).toEqual([
      "fix",
      "dry-run",
      "json",
    ]);
  });

  test("untrusted is a word alone; directories that may be written add up, commas and all", () => {
    expect(own("")).toMatchObject({ untrusted: false, allowWrite: [] });
    const files = file("untrusted\nallow-write /a\nallow-write /b,c\n");
    expect(own("", {}, files)).toMatchObject({ untrusted: true, allowWrite: ["/a", "/b,c"] });
    const env = { RECRIU_UNTRUSTED: "0", RECRIU_ALLOW_WRITE: "/d,/e" };
    expect(own("", env, files)).toMatchObject({ untrusted: false, allowWrite: ["/d", "/e"] });
    expect(own("--untrusted --allow-write /f,g --allow-write=/h", env, files)).toMatchObject({
      untrusted: true,
      allowWrite: ["/f,g", "/h"],
    });
    expect(own("--untrusted=no", {}, files)).toMatchObject({ untrusted: false });
    for (const value of ["yes", "1", "true"])
      expect(own("", { RECRIU_UNTRUSTED: value })).toMatchObject({ untrusted: true });
  });

  test("keys that seals are signed by add up; a file is named by its whole path but on the command line", () => {
    const key = `RW${"A".repeat(54)}`;
    expect(own("")).toMatchObject({ verifyKeys: [], requireSignature: false });
    const files = file(`verify-key ${key}\nverify-key /a,b.pub\nrequire-signature\n`);
    const inFile = { verifyKeys: [key, "/a,b.pub"], requireSignature: true };
    expect(own("", {}, files)).toMatchObject(inFile);
    const env = { RECRIU_VERIFY_KEY: `${key},/c.pub`, RECRIU_REQUIRE_SIGNATURE: "no" };
    expect(own("", env, files)).toMatchObject({
      verifyKeys: [key, "/c.pub"],
      requireSignature: false,
    });
    // An empty variable is none: what the file demands stays demanded.
    expect(own("", { RECRIU_VERIFY_KEY: "", RECRIU_REQUIRE_SIGNATURE: "" }, files)).toMatchObject(
      inFile,
    );
    const typed = own(`--verify-key=${key} --verify-key here.pub --require-signature`);
    expect(typed).toMatchObject({
      verifyKeys: [key, join(process.cwd(), "here.pub")],
      requireSignature: true,
    });
  });

  test("isolate: kinds in their order, auto without a value; also in the file and the environment", () => {
    expect(own("")).toMatchObject({ isolate: undefined, waitSeconds: 0 });
    expect(own("--isolate")).toMatchObject({ isolate: "auto" });
    expect(own("--isolate=pty,pid")).toMatchObject({ isolate: ["pid", "pty"], network: "own" });
    expect(own("--isolate=uts,net")).toMatchObject({ isolate: ["net", "uts"], network: "own" });
    expect(own("--isolate=net:veth")).toMatchObject({ isolate: ["net"], network: "veth" });
    const named = { isolate: ["pid", "net"], network: { named: "a-b" } };
    expect(own("--isolate=net:a-b,pid")).toMatchObject(named);
    expect(own("--isolate-dir /a,b --isolate-dir=/c")).toMatchObject({
      isolateDirs: ["/a,b", "/c"],
      words: ["--isolate-dir", "/a,b", "--isolate-dir=/c"],
    });
    expect(own("--map-path=/a=b=/c/d")).toMatchObject({ mapPath: [{ from: "/a=b", to: "/c/d" }] });
    expect(own("--replace-ip=192.0.2.7=::ffff:1.2.3.4")).toMatch(/two addresses of one family/);
    expect(own("--replace-ip 192.0.2.7=10.0.0.1 --replace-ip=2001:db8::7=::1")).toMatchObject({
      replaceIp: [
        { from: new Uint8Array([192, 0, 2, 7]), to: new Uint8Array([10, 0, 0, 1]) },
        {
          from: Buffer.from("20010db8000000000000000000000007", "hex"),
          to: Buffer.from("00000000000000000000000000000001", "hex"),
        },
      ],
    });
    const files = file("isolate\nwait 30\n");
    expect(own("", {}, files)).toMatchObject({ isolate: "auto", waitSeconds: 30 });
    const env = { RECRIU_ISOLATE: "pid,mount" };
    expect(own("--fix=host", env, files)).toMatchObject({ isolate: ["pid", "mount"], fix: "host" });
  });

  const wrong: [words: string, env: Record<string, string>, text: string, problem: RegExp][] = [
    ["--fix=all", {}, "", /^--fix is safe, host, none; not 'all'$/],
    [
      "--isolate=user",
      {},
      "",
      /^--isolate is auto, or of pid, mount, pty, net, ipc, uts, net:veth, net:NAME; not 'user'$/,
    ],
    ["--map-path=/a=b", {}, "", /^--map-path is OLD=NEW/],
    ["--map-path=/a/../b=/c", {}, "", /^--map-path is OLD=NEW/],
    ["--map-path=/a/=/c", {}, "", /^--map-path is OLD=NEW/],
    ["--map-path=/a=/", {}, "", /^--map-path is OLD=NEW/],
    ["--map-path=/a=/b --fix=none", {}, "", /^--map-path needs edited copies/],
    ["--replace-ip=1.2.3.4", {}, "", /^--replace-ip is OLD=NEW, .*; not '1\.2\.3\.4'$/],
    ["--replace-ip=1.2.3.4=1.2.3.256", {}, "", /^--replace-ip is OLD=NEW/],
    ["--replace-ip=1.2.3.4=1.2.3.5=1.2.3.6", {}, "", /^--replace-ip is OLD=NEW/],
    ["--replace-ip=1.2.3.4=1.2.3.5 --fix=none", {}, "", /^--replace-ip needs edited copies/],
    ["--isolate=net:", {}, "", /^--isolate is auto, .* not 'net:'$/],
    ["--isolate=net:..", {}, "", /^--isolate is auto, .* not 'net:..'$/],
    ["--isolate=net:a/b", {}, "", /^--isolate is auto, .* not 'net:a\/b'$/],
    ["--wait=x", {}, "", /^--wait wants a number of seconds, not 'x'$/],
    ["--verify no", {}, "", /^--verify is gate, report, off, memory; not 'no'$/],
    ["--criu=", {}, "", /--criu wants/],
    ["", { RECRIU_VERIFY: "x" }, "", /^RECRIU_VERIFY is gate/],
    ["", {}, "verify x\n", /^verify in \/etc\/recriu\/recriu\.conf is gate/],
    ["--untrusted=maybe", {}, "", /^--untrusted is no, yes, .*; not 'maybe'$/],
    ["--allow-write=a", {}, "", /^--allow-write wants absolute paths; not 'a'$/],
    ["--verify-key=", {}, "", /^--verify-key wants a public key of minisign, or the file of one$/],
    ["--verify-key=/a --verify-key=", {}, "", /^--verify-key wants a public key/],
    [
      "",
      {},
      "verify-key a.pub\n",
      /^verify-key in .* wants a key or an absolute path; not 'a.pub'/,
    ],
    ["", { RECRIU_VERIFY_KEY: "a.pub" }, "", /^RECRIU_VERIFY_KEY wants a key or an absolute path/],
    ["", { RECRIU_VERIFY_KEY: "/a,," }, "", /^RECRIU_VERIFY_KEY wants a public key/],
    ["--require-signature=x", {}, "", /^--require-signature is no, yes/],
    ["", { RECRIU_ALLOW_WRITE: "/a,b" }, "", /^RECRIU_ALLOW_WRITE wants absolute paths; not 'b'$/],
    ["", {}, "fix\n", /'fix' wants a value/],
    ["", {}, "json\n", /unknown setting 'json'/],
    ["", {}, "fix a b c\n", /recriu\.conf:1: /],
  ];
  test.each(wrong)("%s %j %j", (words, env, text, problem) => {
    expect(own(words, env, file(text))).toMatch(problem);
  });
});
