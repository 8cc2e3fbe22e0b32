/** Fills `{expected}` and `{got}` in one pass, so that a value that holds braces stays as it is. */
export function fillTemplate(
  template: string,
  { expected, got }: { readonly expected?: string | undefined; readonly got?: string | undefined },
): string {
  return template.replaceAll(/\{(expected|got)\}/g, (_, name) =>
    name === 'expected' ? (expected ?? 'another value') : (got ?? 'nothing'),
  )
}
