/** Python, redis and nginx of one Debian on the other, by their pack alone: the programs and libraries there are others, and stay. */
import { repository } from "../built.ts";
import { inRoot, newRoot } from "./roots.ts";
import { dump, openStage, recriu, run, type Stage, start, waitFor } from "./stage.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

const systems = { 12: "services", 13: "services-next" };
type Debian = keyof typeof systems;

const conf = `
worker_processes 1;
user root;
pid /run/nginx.pid;
error_log /var/log/nginx.log;
events { worker_connections 64; }
http { access_log off; server { listen unix:/run/nginx.sock; location / { return 200 "hello"; } } }
`;

/** It tells each client how many there were. */
const counter = `
import socket
server = socket.socket(socket.AF_UNIX)
server.bind("/run/python.sock")
server.listen()
clients = 0
while True:
    client, _ = server.accept()
    clients += 1
    client.recv(100)
    client.sendall(b"%d\\n" % clients)
    client.close()
`;

const script = `exec </dev/null >/dev/null 2>&1
python3 /counter.py &
nginx -c /nginx.conf -g 'daemon off;' &
redis-server --port 0 --unixsocket /run/redis.sock --save '' --dir / --logfile /var/log/redis.log &
wait
`;

/** A Debian with what is changed in memory, its kernel's file systems, and recriu and CRIU of a pack. */
const debian = (stage: Stage, version: Debian, name: string, pack: string) =>
  newRoot(stage, name, [
    'mount -t tmpfs none "$0"; cd "$0"; mkdir upper work',
    `mount -t overlay -o "lowerdir=${join(repository, ".cache/systems", systems[version])},upperdir=$0/upper,workdir=$0/work" none "$0"; cd "$0"`,
    "for dir in bin sbin lib lib64; do [ -e $dir ] || ln -s usr/$dir $dir; done",
    "[ -e bin/sh ] || ln -s dash bin/sh",
    "mkdir -p run var/log var/lib/nginx/body var/lib/nginx/proxy var/lib/nginx/fastcgi var/lib/nginx/uwsgi var/lib/nginx/scgi",
    "echo root:x:0:0::/:/bin/sh >etc/passwd; echo root:x:0: >etc/group",
    "mount -t proc none proc; mount -t tmpfs none dev; mount -t tmpfs none run",
    "mknod -m 666 dev/null c 1 3; mknod -m 666 dev/urandom c 1 9",
    `tar --strip-components=1 -xf ${pack} checkpoint/recriu checkpoint/criu`,
  ]);

/** What a socket of the tree answers to a request. */
function asked(pid: number, socket: string, request: string, end: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const client = connect(`/proc/${pid}/root/run/${socket}`, () => client.write(request));
    client.on("data", (bytes) => {
      answer += bytes;
      if (end.test(answer)) client.destroy();
    });
    client.on("error", reject).on("close", () => resolve(answer));
  });
}
const redis = (pid: number, words: string) => asked(pid, "redis.sock", `${words}\r\n`, /\r\n/);
const python = async (pid: number) => Number(await asked(pid, "python.sock", "?", /\n/));
const nginx = (pid: number) =>
  asked(pid, "nginx.sock", "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", /hello/);

for (const [from, to] of [
  [12, 13],
  [13, 12],
] as const)
  test(`of Debian ${from} on Debian ${to}`, async () => {
    await using stage = openStage();
    const some = join(stage.dir, "some.pack");
    const { pid } = await start(stage, "sched", ["other", "0", "0"]);
    const any = await dump(stage, pid);
    expect((await recriu(stage, ["seal", any])).exit).toBe(0);
    expect((await recriu(stage, ["pack", any, "--with-criu", "-o", some])).exit).toBe(0);

    const root = await debian(stage, from, "from", some);
    for (const [name, text] of [
      ["nginx.conf", conf],
      ["counter.py", counter],
      ["start", script],
    ] as const) {
      writeFileSync(join(stage.dir, name), text);
      expect((await run(stage, ["cp", join(stage.dir, name), root])).exit).toBe(0);
    }
    const services = await stage.supervisor.spawn(inRoot(root, ["sh", "/start"]), { cwd: "/" });
    const answers = async (tree: number) => {
      try {
        const said = [await redis(tree, "PING"), /hello/.test(await nginx(tree))];
        return said.join() === "+PONG\r\n,true" && (await python(tree)) > 0;
      } catch {
        return false;
      }
    };
    let up = false;
    await waitFor("the services", () => {
      void answers(services.pid).then((is) => (up ||= is));
      return up;
    });
    expect(await redis(services.pid, "SET kept yes")).toBe("+OK\r\n");
    const clients = await python(services.pid);
    const server = /Server: (nginx\S*)/.exec(await nginx(services.pid))![1]!;
    const there = ["nsenter", "--mount", "--target", `${services.pid}`, "sh", "-ec"];
    const sealing = [
      "cd /; mkdir images",
      `CRIU_FAULT=130 /criu/criu dump -t ${services.pid} -D /images -o dump.log`,
      "/recriu seal --with-files /images",
    ];
    const sealed = await run(stage, [...there, sealing.join("; ")], { timeout: 120_000 });
    expect([sealed.exit, sealed.stderr]).toEqual([0, expect.stringContaining("taken along: ")]);
    // Packed where this CRIU's libraries are.
    const pack = join(stage.dir, "app.pack");
    expect((await run(stage, ["cp", "-a", join(root, "images"), stage.dir])).exit).toBe(0);
    const packing = ["pack", join(stage.dir, "images"), "--with-criu", "-o", pack];
    expect((await recriu(stage, packing)).exit).toBe(0);

    const other = await debian(stage, to, "to", some);
    const own = async () =>
      (
        await run(stage, [
          "sha256sum",
          join(other, "usr/bin/redis-server"),
          join(other, "usr/sbin/nginx"),
          join(other, "usr/bin/python3"),
        ])
      ).stdout;
    const before = await own();
    expect((await run(stage, ["cp", pack, join(other, "app.pack")])).exit).toBe(0);
    const restore = ["/recriu", "restore", "/app.pack", "-d", "--isolate=auto", "--json"];
    const done = await run(stage, inRoot(other, restore), { timeout: 120_000 });
    expect([done.exit, done.stderr]).toEqual([0, expect.any(String)]);
    const { verdict, plan, run: ran } = JSON.parse(done.stdout);
    expect(verdict).toMatchObject({ result: "match" });
    const over = plan.over.map(({ path }: { path: string }) => path);
    expect(over).toEqual(
      expect.arrayContaining(["/usr/sbin/nginx", expect.stringMatching(/redis-/)]),
    );
    expect(await redis(ran.pid, "GET kept")).toBe("$3\r\nyes\r\n");
    expect(await nginx(ran.pid)).toContain(`Server: ${server}`);
    expect(await python(ran.pid)).toBeGreaterThan(clients);
    expect(await own()).toBe(before);
  }, 180_000);
