/** Lines of Python and of the command line that draw the same, as the server writes them. */

interface Told {
  psi: string | undefined;
  label: string | undefined;
}

export function linesOf(reference: string, codes: string[], { psi, label }: Told): { python: string; cli: string } {
  const opened = [JSON.stringify(reference), ...(label === undefined ? [] : [`label=${JSON.stringify(label)}`])];
  const drawn = [`codes=${JSON.stringify(codes)}`, ...(psi ? [`psi=${JSON.stringify(psi)}`] : [])];
  const python = `stylegenes.open(${opened.join(", ")}).sample(${drawn.join(", ")})`;
  // What begins with a dash is taken for an option, unless it stands behind an equals sign or is a path.
  const words = ["stylegenes", "sample", reference.replace(/^-/, "./-"), `--codes=${codes.join(",")}`];
  if (psi) words.push(`--psi=${psi}`);
  if (label !== undefined) words.push(`--label=${label}`);
  return { python, cli: words.map(quoted).join(" ") };
}

/** One word of a command line. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
