/** The page of `show --html` in Debian's Chromium: it is shown as it is meant, and a name from an image does nothing there. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../restore/stage/compile.ts";
import { openStage, recriu, run, type Stage } from "../restore/stage.ts";
import { programs } from "./desktop.ts";

/** What a browser makes of a page: its document after all that would run has run, and what its console says. */
async function shownBy(stage: Stage, page: string): Promise<{ document: string; console: string }> {
  const [upper, work, root] = ["upper", "work", "root"].map((name) => join(stage.dir, name));
  for (const dir of [upper!, work!, root!, join(upper!, "tmp")])
    mkdirSync(dir, { recursive: true });
  writeFileSync(join(upper!, "tmp/page.html"), page);
  const words = [
    "--headless",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--user-data-dir=/tmp/profile",
    "--dump-dom",
    "file:///tmp/page.html",
  ];
  const steps = [
    `mount -t overlay overlay -o lowerdir=${programs},upperdir=${upper},workdir=${work} ${root}`,
    `mount --rbind /proc ${root}/proc`,
    `mount --rbind /dev ${root}/dev`,
    `HOME=/tmp DBUS_SESSION_BUS_ADDRESS=disabled: exec chroot ${root} /usr/lib/chromium/chromium "$@"`,
  ];
  const shown = await run(
    stage,
    ["unshare", "--mount", "sh", "-ec", steps.join("; "), "sh", ...words],
    {
      timeout: 50_000,
    },
  );
  expect(shown.exit).toBe(0);
  const said = shown.stderr.split("\n").filter((line) => /CONSOLE|Content.Security/.test(line));
  return { document: shown.stdout, console: said.join("\n") };
}

test("a checkpoint whose names are markup is a page of text in Chromium, with its style and without a script", async () => {
  await using stage = openStage();
  // A comm has 15 letters, and a path no slash in a name.
  const name = `"><script>document.title='run'<!--`;
  const dir = join(stage.dir, name);
  mkdirSync(dir);
  const program = join(dir, "<img src=x onerror=document.title='run'>");
  copyFileSync(compile("x11-server"), program);
  const { images } = await startDumped(
    stage,
    "x11-server",
    [join(dir, "<svg onload=alert(1)>"), join(stage.dir, "progress")],
    { program },
  );
  const hostile = join(stage.dir, "<b>images");
  renameSync(images, hostile);
  const file = join(stage.dir, "page.html");
  const written = await recriu(stage, ["show", hostile, "--html", file]);
  expect(written).toMatchObject({ exit: 0, stdout: "" });
  const page = readFileSync(file, "utf8");
  const { document, console } = await shownBy(stage, page);
  expect(console).toBe("");
  expect(document).toContain(`<title>${stage.dir}/&lt;b&gt;images: 2 tasks</title>`);
  expect(document).not.toMatch(/<(?:script|img|b>images)/);
  expect(document.match(/id="task-\d+"/g)).toHaveLength(2);
  expect(document).toContain("&lt;img src=x onerror=document.title='run'&gt;");

  // What would have told: markup that came through is refused by the policy, and so is a style of another.
  const wrong = page
    .replace("</main>", "<script>document.title='run'</script></main>")
    .replace("<style>", "<style>b{}");
  const refused = await shownBy(stage, wrong);
  expect(refused.document).not.toContain("<title>run</title>");
  expect(refused.console.match(/Content Security Policy/g)!.length).toBeGreaterThanOrEqual(2);
});
