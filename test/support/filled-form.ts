// What a browser sends of a form that it was shown: the fields as they stand in it.

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&", apos: "'" };

const decoded = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) =>
    decimal
      ? String.fromCodePoint(Number(decimal))
      : hex
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : (entities[name] ?? whole),
  );

/** The fields of the form that has an id; a browser ends lines by CR LF, and knows of none in a field of one line. */
export async function filledForm(page: string, id: string): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  let area = "";
  let choice = "";
  await new HTMLRewriter()
    .on(`#${id} input[name]`, {
      element(element) {
        const value = decoded(element.getAttribute("value") ?? "");
        fields[element.getAttribute("name")!] = value.replace(/[\r\n]/g, "");
      },
    })
    .on(`#${id} textarea`, {
      element(element) {
        area = element.getAttribute("name")!;
        fields[area] = "";
      },
      text(chunk) {
        fields[area] += chunk.text;
      },
    })
    .on(`#${id} select`, {
      element(element) {
        choice = element.getAttribute("name")!;
        fields[choice] = "";
      },
    })
    .on(`#${id} option[selected]`, {
      element(element) {
        fields[choice] = element.getAttribute("value")!;
      },
    })
    .transform(new Response(page))
    .text();
  for (const name of ["command", "env"]) {
    const text = decoded(fields[name]!).replace(/^\n/, "");
    fields[name] = text.replace(/\r\n?|\n/g, "\r\n");
  }
  return fields;
}
