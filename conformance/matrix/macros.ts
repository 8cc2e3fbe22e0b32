import { CC, LN, OC } from '../fixture.ts'

const MACROS: Readonly<Record<string, string>> = {
  OC,
  LN,
  CC,
  LAB: `?category=${OC}|laboratory`,
  VS: `?category=${OC}|vital-signs`,
  SH: `?category=${OC}|social-history`,
}

/** Puts the long texts in for `{LAB}` and its like, and `{BASE}`. Other braces stay. */
export function expand(text: string, baseUrl?: string): string {
  return text.replaceAll(
    /\{([A-Z]+)\}/g,
    (whole, name: string) => (name === 'BASE' ? baseUrl : MACROS[name]) ?? whole,
  )
}
