/** What only a CRIU asks for that is not installed here: 4.2. */
import { allowUprobesNeeded } from "../../src/checks/criu/allow-uprobes-needed.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const inventory = { img_version: 2, fdinfo_per_id: true, allow_uprobes: true };

const traced = { ...fixture(), "inventory.img": image("inventory.img", [inventory]) };

export const findings = (version: string, options: string[] = []) =>
  withContext(traced, { version, options }, (context) => [...allowUprobesNeeded.run(context)]);
