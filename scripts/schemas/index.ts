/** docs/schemas/: a JSON Schema of each command's documents. A shape that is not the type of src/report/documents.ts does not compile. */
import type {
  CheckpointsDocument,
  ChecksDocument,
  DiffDocument,
  DoctorDocument,
  LastDocument,
  MemoryDocument,
  ProblemDocument,
  SealDocument,
  ShowDocument,
  UndoDocument,
  VerifyDocument,
} from "../../src/report/documents.ts";
import { explain } from "./explain.ts";
import { check, mapping, task, whole } from "./parts.ts";
import {
  byName,
  either,
  flag,
  integer,
  list,
  maybe,
  nothing,
  number,
  object,
  oneOf,
  orNull,
  type Plain,
  type Shape,
  text,
} from "./shape.ts";

const texts = list(text());
const pid = integer("the task, by its number in the images");

const show: Shape<Plain<ShowDocument>> = object({
  ...whole,
  tasks: list(
    object({ ...task, mappings: maybe(list(mapping)), environment: maybe(orNull(texts)) }),
  ),
});

const checkpoints: Shape<Plain<CheckpointsDocument>> = object({
  checkpoints: list(
    either(
      object({ name: text(), ...whole, tasks: list(object(task)) }),
      object({ name: text(), problem: text("why it cannot be read") }),
    ),
  ),
});

const diff: Shape<Plain<DiffDocument>> = object({
  a: text(),
  b: text(),
  changed: list(
    object({
      sign: oneOf(["+", "-", "~"], "+ only the second has it, - only the first, ~ both, otherwise"),
      kind: oneOf(["task", "file", "socket", "mount", "cgroup", "namespace"]),
      task: orNull(integer(), "null: the whole"),
      what: text(),
    }),
  ),
  needs: list(text(), "findings of a restore here that the second has and the first has not"),
});

const memory: Shape<Plain<MemoryDocument>> = either(
  object({ pid, mappings: list(mapping) }),
  object({
    pid,
    count: integer("how often it was found"),
    places: list(
      object({ address: text("hexadecimal"), mapping: orNull(text()) }),
      "the first of them",
    ),
    searched: integer("bytes"),
    unread: integer("bytes that could not be read"),
  }),
  object({
    pid,
    pieces: list(
      object({
        address: text("hexadecimal"),
        length: integer(),
        base64: orNull(text(), "null: they are not in the images"),
      }),
    ),
  }),
);

const verify: Shape<Plain<VerifyDocument>> = object({
  images: text(),
  pid: integer("the root task's pid on this machine"),
  pid_inside: orNull(integer(), "in the namespace of its own that the tree was given"),
  verdict: object({
    result: oneOf(["match", "mismatch", "skipped"]),
    compared: integer(),
    not_compared: integer("saved values that could not be compared; they are not called equal"),
    left_out: list(object({ facet: text(), reason: text(), count: integer() })),
    differences: list(
      object({
        facet: text(),
        task: orNull(integer()),
        expected: text(),
        found: text(),
        class: oneOf(["fatal", "tolerated", "expected", "mended", "changed"]),
      }),
    ),
    memory: maybe(integer("bytes of memory that were compared")),
  }),
});

const checks: Shape<Plain<ChecksDocument>> = object({ checks: list(check) });

const doctor: Shape<Plain<DoctorDocument>> = object({
  facts: list(
    either(
      object({ name: text(), found: text(), state: oneOf(["ok"]), means: nothing }),
      object({
        name: text(),
        found: text(),
        state: oneOf(["warning", "missing"]),
        means: text("what that is for a restore"),
      }),
    ),
  ),
});

const last: Shape<Plain<LastDocument>> = object({
  reasons: list(
    object({
      time: text("ISO 8601"),
      by: text("what was called"),
      images: text(),
      log: orNull(text()),
      cause: text(),
      text: text("all that was said"),
    }),
  ),
});

const undo: Shape<Plain<UndoDocument>> = object({
  undone: list(
    object({
      journal: text(),
      images: text(),
      made: texts,
      left: list(text(), "what could not be taken back"),
      problem: orNull(text()),
      aside: orNull(text()),
    }),
  ),
});

const seal: Shape<Plain<SealDocument>> = object({
  schema: oneOf([1]),
  recriu: text(),
  criu: orNull(text()),
  kernel: text(),
  machine: text(),
  cpu: list(text(), "the processor's flags"),
  host: maybe(
    object(
      {
        page_size: integer(),
        processors: maybe(integer()),
        memory: maybe(integer("bytes")),
        limits: object(
          { memory: maybe(integer("bytes")), processors: maybe(number()) },
          "of the tree's cgroups",
        ),
        lsm: maybe(list(text(), "security modules")),
        gpus: list(object({ model: text(), driver: orNull(text()) })),
      },
      "what else it was sealed on, as far as it could be told",
    ),
  ),
  images: byName(object({ size: integer(), sha256: text() }), "by their names"),
  files: list(
    object({
      path: text(),
      size: integer(),
      mode: integer("permission bits"),
      build_id: orNull(text()),
      mtime: maybe(text("ISO 8601")),
      taken: maybe(
        object(
          {
            sha256: text("of its bytes"),
            packed: maybe(
              object({ size: integer(), sha256: text() }, "it stands there as SHA256.zst, zstd(1)"),
            ),
            uid: integer(),
            gid: integer(),
            xattrs: byName(text(), "in base64"),
            newer: flag("it was written to after the dump"),
            sparse: maybe(flag("it has holes")),
            inode: maybe(
              text(
                "device and inode when it was sealed, of one that had more names: those of the same are one file",
              ),
            ),
          },
          "of seal --with-files: it stands in recriu.files",
        ),
      ),
    }),
    "files outside of the images that the tree has open, mapped or runs",
  ),
  directories: maybe(
    list(
      object({ path: text(), mode: integer(), uid: integer(), gid: integer() }),
      "above files that were taken along",
    ),
  ),
});

const problem: Shape<Plain<ProblemDocument>> = object({ exit: integer(), problem: text() });

/** The file in docs/schemas, what prints it, and what it has. */
const documents: readonly [name: string, title: string, shape: Shape<any>][] = [
  ["show", "recriu show --json", show],
  ["checkpoints", "recriu show --json of a directory of checkpoints", checkpoints],
  ["diff", "recriu diff --json", diff],
  ["memory", "recriu memory --json: mappings; with --search; with --dump", memory],
  ["verify", "recriu verify --json", verify],
  ["explain", "recriu explain --json: a log or words; an id; an exit code; --list", explain],
  ["checks", "recriu preflight --list --json", checks],
  ["doctor", "recriu doctor --json", doctor],
  ["last", "recriu last --json", last],
  ["undo", "recriu undo --json", undo],
  ["seal", "recriu seal --json, and recriu.manifest", seal],
  ["problem", "any command with --json that could not do what it was asked", problem],
];

/** Each document begins with the version of recriu and the number of its schema. */
const stamp = {
  recriu: { description: "version of recriu", type: "string" },
  schema: {
    description: "grows when a field changes its meaning; new fields alone do not change it",
    const: 1,
  },
};

const stamped = (schema: any): object =>
  schema.anyOf !== undefined
    ? { anyOf: schema.anyOf.map(stamped) }
    : {
        ...schema,
        required: [...new Set(["recriu", "schema", ...schema.required])],
        properties: { ...stamp, ...schema.properties, schema: stamp.schema },
      };

/** File in docs/schemas to text. */
export const schemas = (): { file: string; text: string }[] =>
  documents.map(([name, title, { schema }]) => ({
    file: `docs/schemas/${name}.schema.json`,
    text: `${JSON.stringify(
      { $schema: "https://json-schema.org/draft/2020-12/schema", title, ...stamped(schema) },
      null,
      2,
    )}\n`,
  }));
