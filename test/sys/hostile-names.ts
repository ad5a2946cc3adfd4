/** Names that a file may have, and what they would do to a shell or a terminal. None has a slash. */
import { fromBytes } from "../../src/image/text.ts";

const everyByte = Uint8Array.from({ length: 255 }, (_, at) => at + 1).filter(
  (byte) => byte !== 0x2f,
);

export const hostile: readonly string[] = [
  fromBytes(everyByte),
  fromBytes(everyByte.toReversed()),
  "-rf $(touch PWNED) `touch PWNED` \"';touch PWNED;#\n",
  "x$(touch PWNED)'\"\n y",
  "a b  c\t d",
  "\n",
  "a\n\n",
  "%s%d\\n\\0101\\c",
  "\\",
  "'",
  "'$(touch PWNED)'",
  "*",
  "~",
  "$HOME${IFS}",
  "a;touch PWNED&&touch PWNED|touch PWNED>PWNED",
  "!!touch PWNED",
  "\u001b]0;PWNED\u0007\u202etxt.exe\u200b\ufeff\u2028",
  "=ls",
  "{a,b}[c]?",
  "#",
  "größe 文件 \u{1f600}",
];
