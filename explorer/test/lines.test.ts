import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { linesOf } from "../src/backend/lines";

/** The words that a shell makes of a command line. */
function wordsOf(line: string): string[] {
  const print = 'for word in "$@"; do printf "%s\\n" "$word"; done';
  return execFileSync("sh", ["-c", `set -- ${line}\n${print}`], { encoding: "utf8" }).split("\n").slice(0, -1);
}

const plain = { psi: undefined, label: undefined };

describe("a command line", () => {
  it("keeps every code and name as one word, whatever a shell or the command makes of its letters", () => {
    const codes = ["-begins-with-a-dash", "A~B@0+1", "A~B*0.25", "w.AA-_"];
    for (const name of ["avatars32", "my runs/it's $HOME", "~/faces", "hf://owner/name", "a;b|c&d", "*"]) {
      const { cli } = linesOf(name, codes, { psi: "0.7:3", label: "Long Hair=1,b" });
      expect(wordsOf(cli)).toEqual(["stylegenes", "sample", name, `--codes=${codes.join(",")}`, "--psi=0.7:3", "--label=Long Hair=1,b"]);
    }
    expect(wordsOf(linesOf("-x", ["a"], plain).cli)).toEqual(["stylegenes", "sample", "./-x", "--codes=a"]);
  });
  it("is as short as it can be", () => {
    expect(linesOf("avatars32", ["Ab-_"], plain).cli).toBe("stylegenes sample avatars32 --codes=Ab-_");
  });
});

describe("a line of Python", () => {
  it("quotes what it is given", () => {
    expect(linesOf('a"b', ["-x"], { psi: "0.5", label: "c" }).python).toBe(
      'stylegenes.open("a\\"b", label="c").sample(codes=["-x"], psi="0.5")',
    );
  });
});
