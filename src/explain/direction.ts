/** Whether a paste is of a dump or checkpoint alone: by the commands and messages that are shown, where no line speaks of a restore. */

const ofDump =
  /\b(?:criu|crtools)(?:-ns)? (?:-\S{1,40} )?(?:pre-)?dump\b|\b(?:docker|podman|nerdctl|runc|crun|youki|ctr|crictl|kubectl)\b.{0,80}\bcheckpoint\b|\blxc-checkpoint\b|\b(?:C|c)annot checkpoint\b|\bCould not dump the JVM\b|\bcheckpoint request failed\b/;
const ofRestore = /\brestor/i;
const LETTERS = 2048;

/** A restore that is asked for, or of which a person says that it went wrong. */
const asksForRestore =
  /\b(?:docker|nerdctl)(?: container)? start\b.{0,200}--checkpoint\b|\b(?:criu|crtools)(?:-ns)? (?:-\S{1,40} )?restore\b|\b(?:podman|runc|crun|youki|ctr)\b.{0,80} restore\b|\blxc-checkpoint\b.{0,80} -r\b|-XX:CRaCRestoreFrom=|\brestor(?:e|es|ed|ing)\b.{0,60}\b(?:fail|hang|crash|die[sd]?\b|stuck)/;

export function directionSeen(): {
  note(text: string): void;
  isDump(): boolean;
  /** Whether a restore is shown, too. */
  hasRestore(): boolean;
} {
  let asked = false;
  let dumps = false;
  let restores = false;
  return {
    note(text) {
      const looked = text.slice(0, LETTERS);
      dumps ||= ofDump.test(looked);
      restores ||= ofRestore.test(looked);
      asked ||= asksForRestore.test(looked);
    },
    isDump: () => dumps && !restores,
    hasRestore: () => asked,
  };
}
