/**
 * `npm run release`: everything that is given out, in dist/ (or in the directory that is named).
 * The same commit gives the same bytes. RECRIU_SIGNING_KEY signs them: docs/air-gapped.md.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { table } from "../src/cli/table.ts";
import { bash } from "../src/report/completions/bash.ts";
import { fish } from "../src/report/completions/fish.ts";
import { zsh } from "../src/report/completions/zsh.ts";
import { minisignature, signingKey } from "../src/sys/minisign.ts";
import { type About, aboutRecriu, repository } from "./release/about.ts";
import { byPath, file, type Item, tar } from "./release/archives.ts";
import { deb } from "./release/deb.ts";
import { gzipped } from "./release/gzip.ts";
import { image } from "./release/image.ts";
import { manPages } from "./release/man.ts";
import { notices, npmParts, type Part, sbom } from "./release/parts.ts";
import { rpm } from "./release/rpm.ts";

/** What scripts/build calls a target, the package of Bun it comes from, and what .deb (an image, too) and .rpm call the machine. */
const targets = [
  { name: "x64", bun: "@oven/bun-linux-x64", deb: "amd64", rpm: "x86_64" },
  { name: "arm64", bun: "@oven/bun-linux-aarch64", deb: "arm64", rpm: "aarch64" },
  { name: "x64-musl", bun: "@oven/bun-linux-x64-musl" },
  { name: "arm64-musl", bun: "@oven/bun-linux-aarch64-musl" },
];

/** The signing key: its file, or its text itself. */
const textOf = (given: string) => (existsSync(given) ? readFileSync(given, "utf8") : given);

async function release(dist: string): Promise<void> {
  const secret = process.env["RECRIU_SIGNING_KEY"];
  const key =
    secret === undefined || secret === "" ? undefined : signingKey(textOf(secret), "SHA256SUMS");
  const about = await aboutRecriu();
  const parts = await npmParts();
  const shared = await sharedFiles(about, parts);
  const made = await Promise.all(targets.map((target) => artifactsOf(target, about, shared)));
  const runtimes = targets.map(({ bun }) => bun);
  const artifacts = [
    ...made.flat(),
    file(`recriu-${about.version}.cdx.json`, sbom(about, parts, runtimes)),
  ];
  const sums = sumsOf(artifacts);
  const signed =
    key === undefined
      ? []
      : [
          file(
            "SHA256SUMS.minisig",
            minisignature(key, {
              name: "SHA256SUMS",
              data: sums.data,
              epoch: about.epoch,
              of: "a recriu release",
            }),
          ),
        ];

  mkdirSync(dist, { recursive: true });
  for (const old of readdirSync(dist)) {
    if (/^(recriu[-_]\d|SHA256SUMS)/.test(old)) rmSync(join(dist, old));
  }
  for (const { path, data } of [...artifacts, sums, ...signed])
    writeFileSync(join(dist, path), data);
  const notes = [
    key !== undefined ? "" : ", not signed: RECRIU_SIGNING_KEY is not set",
    Bun.spawnSync(["git", "status", "--porcelain"], { cwd: repository }).stdout.length === 0
      ? ""
      : ", of a source that is not committed",
  ];
  console.error(`released ${artifacts.length} files of ${about.version}${notes.join("")}`);
}

interface Shared {
  /** As in the tarball. */
  readonly documents: readonly Item[];
  readonly pages: readonly Item[];
  readonly completions: { readonly bash: string; readonly zsh: string; readonly fish: string };
}

async function sharedFiles(about: About, parts: readonly Part[]): Promise<Shared> {
  const commands = await table();
  const documents = [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "SECURITY.md",
    ...readdirSync(join(repository, "docs"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(repository, join(entry.parentPath, entry.name)))
      .sort(),
  ];
  return {
    documents: [
      ...documents.map((path) => file(path, readFileSync(join(repository, path)))),
      file("THIRD-PARTY.md", notices(parts)),
    ],
    pages: [...manPages(commands, about)].map(([name, text]) => file(name, text)),
    completions: { bash: bash(commands), zsh: zsh(commands), fish: fish(commands) },
  };
}

async function artifactsOf(
  target: (typeof targets)[number],
  about: About,
  shared: Shared,
): Promise<Item[]> {
  const { version } = about;
  const binary = build(target.name);
  const name = `recriu-${version}-linux-${target.name}`;
  const artifacts = [
    tarball(name, binary, about, shared).then((data) => file(`${name}.tar.gz`, data)),
  ];
  if (target.deb !== undefined) {
    const vendor = "usr/share/zsh/vendor-completions/_recriu";
    artifacts.push(
      deb(about, target.deb, packaged(binary, shared, vendor)).then((data) =>
        file(`recriu_${version}_${target.deb}.deb`, data),
      ),
      image(about, target.deb, binary).then((data) =>
        file(`recriu-${version}-image-${target.deb}.tar`, data),
      ),
    );
  }
  if (target.rpm !== undefined) {
    const site = "usr/share/zsh/site-functions/_recriu";
    artifacts.push(
      rpm(about, target.rpm, packaged(binary, shared, site)).then((data) =>
        file(`recriu-${version}-1.${target.rpm}.rpm`, data),
      ),
    );
  }
  return Promise.all(artifacts);
}

/** The binary for a target. Bun writes the name of the file into it, so that is always the same. */
function build(target: string): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "recriu-release-"));
  try {
    const binary = join(dir, "recriu");
    const built = Bun.spawnSync([join(repository, "scripts/build"), "src/main.ts", binary], {
      env: { ...process.env, RECRIU_TARGET: target },
      stderr: "inherit",
    });
    if (built.exitCode !== 0) throw new Error(`scripts/build exits ${built.exitCode}`);
    return readFileSync(binary);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function tarball(
  name: string,
  binary: Buffer,
  about: About,
  shared: Shared,
): Promise<Buffer> {
  const { documents, pages, completions } = shared;
  const files = [
    file("recriu", binary, 0o755),
    file("install.sh", readFileSync(join(repository, "scripts/release/install.sh")), 0o755),
    ...documents,
    ...pages.map((page) => ({ ...page, path: `man/man8/${page.path}` })),
    file("completions/recriu.bash", completions.bash),
    file("completions/_recriu", completions.zsh),
    file("completions/recriu.fish", completions.fish),
  ];
  const all = [...files, sumsOf(files)].map((item) => ({ ...item, path: `${name}/${item.path}` }));
  return gzipped(await tar(all, about.epoch));
}

/** Where a distribution's package puts the files. /usr/sbin/criu is never among them. */
function packaged(binary: Buffer, shared: Shared, zshPath: string): Item[] {
  const { documents, pages, completions } = shared;
  return byPath([
    file("usr/bin/recriu", binary, 0o755),
    ...pages.map(({ path, data }) => file(`usr/share/man/man8/${path}.gz`, gzipSync(data))),
    ...documents.map((item) => ({
      ...item,
      // Debian's policy has a name of its own for it.
      path: `usr/share/doc/recriu/${item.path === "LICENSE" ? "copyright" : item.path}`,
    })),
    file("usr/share/bash-completion/completions/recriu", completions.bash),
    file(zshPath, completions.zsh),
    file("usr/share/fish/vendor_completions.d/recriu.fish", completions.fish),
  ]);
}

/** SHA256SUMS, as sha256sum(1) checks it. */
function sumsOf(items: readonly Item[]): Item {
  const lines = byPath(items).map(
    ({ path, data }) => `${createHash("sha256").update(data).digest("hex")}  ${path}\n`,
  );
  return file("SHA256SUMS", lines.join(""));
}

await release(resolve(process.argv[2] ?? join(repository, "dist")));
