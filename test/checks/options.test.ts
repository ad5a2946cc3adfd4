/** Which of CRIU's options recriu adds by itself: those that lose nothing that the user asked to keep. */
import { expect, test } from "bun:test";
import { optionPolicies, policyOf } from "../../src/checks/index.ts";

test("these, and no others", () => {
  const added = optionPolicies.filter((policy) => policy.added).map(({ option }) => option);
  expect(added.toSorted()).toEqual([
    "--allow-uprobes",
    "--deprecated",
    "--ext-unix-sk",
    "--external=mnt[/run/crun/.empty-directory]:/run/crun/.empty-directory",
    "--manage-cgroups=ignore",
    "--mntns-compat-mode",
    "--shell-job",
    "--tcp-established",
    "--unprivileged",
    "--work-dir",
  ]);
});

test("an option with a value has its own policy, else that of its name; what is not decided is not added", () => {
  const added = (option: string) => policyOf(option)?.added;
  expect(added("--manage-cgroups=ignore")).toBe(true);
  expect(added("--manage-cgroups=full")).toBe(false);
  expect(added("--external mnt[a]:b")).toBe(false);
  expect(added("--work-dir=/x")).toBe(true);
  expect(policyOf("--unheard-of")).toBeUndefined();
});
