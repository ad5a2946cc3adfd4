/** The owner of a directory that recriu makes: the images name one, and that user must not get more than he had. */
import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { walkRepair } from "../../src/plan/safe.ts";

/** Whether a directory at `path` of this machine would be made for user 1000. */
function isGiven(path: string, uid = 1000): boolean {
  const way = walkRepair({
    action: "mkdir",
    root: "/",
    path,
    mode: 0o755,
    uid,
    gid: uid,
  });
  if (way.ok) closeSync(way.fd);
  return way.ok;
}

test("a service's directory in /run, and what everybody may make in /tmp", () => {
  for (const path of [
    "/run/recriu-none",
    "/var/run/recriu-none/deep",
    "/tmp/recriu-none",
    "/run/user/1000",
  ])
    expect([path, isGiven(path)]).toEqual([path, true]);
});

test("nothing where root's programs read what to do, or where only root has anything", () => {
  for (const path of [
    "/etc/recriu-none",
    "/etc/systemd/system/sshd.service.d",
    "/usr/lib/recriu-none",
    "/var/spool/cron/recriu-none",
    "/root/recriu-none",
    "/run/systemd/system/sshd.service.d",
    "/run/systemd/recriu-none",
    "/run/udev/rules.d",
    "/run/tmpfiles.d",
    "/run/recriu-none/a.d/b",
    "/recriu-none",
  ]) {
    expect([path, isGiven(path)]).toEqual([path, false]);
    // For root himself it is a directory like any other.
    expect([path, isGiven(path, 0)]).toEqual([path, true]);
  }
});
