import { createHash } from 'node:crypto'
import { type Theme, themeRules } from './theme.ts'

/** Where the pages' stylesheet is served. */
export const STYLESHEET_PATH = '/oauth/pages.css'

export interface Stylesheet {
  readonly css: string
  /** Strong: a hash of the bytes. */
  readonly etag: string
  /** With the hash in its query, so that a change is seen at once. */
  readonly href: string
}

/** The one stylesheet of all pages, with the operator's theme at its end. */
export function createStylesheet(theme: Theme): Stylesheet {
  const css = `${BASE}${themeRules(theme)}`
  const hash = createHash('sha256').update(css).digest('base64url').slice(0, 22)
  return { css, etag: `"${hash}"`, href: `${STYLESHEET_PATH}?v=${hash}` }
}

/** No fonts, images or colours from elsewhere. All colours stand at the top, as custom properties. */
const BASE = `
:root{
--ink:#16242c;--dim:#50616c;--line:#d5dee4;--edge:#74868f;--ground:#eef3f5;--card:#ffffff;--tint:#f3f7f8;
--accent:#0b6472;--on-accent:#ffffff;--focus:#0a58c9;
--bad:#a3241b;--bad-tint:#fdf1ef;--good:#14673f;--good-tint:#edf7f1;--warn:#7a4a00;--warn-tint:#fdf5e6;
--radius:14px;--radius-small:9px;
--font:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{
--ink:#e7eef1;--dim:#a3b3bb;--line:#2d3b43;--edge:#7d919b;--ground:#0d1316;--card:#161f24;--tint:#1c272d;
--accent:#6fc6d3;--on-accent:#0c1a1d;--focus:#8cb8ff;
--bad:#ff9d92;--bad-tint:#33201e;--good:#79d3a3;--good-tint:#16291f;--warn:#f0c274;--warn-tint:#2f2716}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;grid-template-rows:auto 1fr auto;justify-items:center;background:var(--ground);color:var(--ink);font:1rem/1.55 var(--font)}
h1,h2,h3,p,ul,ol,dl,dd,fieldset,legend{margin:0;padding:0}
ul,ol{list-style:none}
fieldset{border:0;min-width:0}
h1{font-size:1.6rem;line-height:1.22;letter-spacing:-.017em;font-weight:650;text-wrap:balance}
h2{font-size:1.06rem;line-height:1.35;font-weight:650}
h3{font-size:1rem;font-weight:600}
a{color:var(--accent);text-underline-offset:.2em;text-decoration-thickness:.08em}
a:hover{text-decoration-thickness:.14em}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-99rem;top:0}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.6rem 1rem;border-radius:var(--radius-small);z-index:2}
.quiet{color:var(--dim)}
.small{font-size:.9rem}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}

.brand{width:100%;padding:2rem 1.25rem .25rem;display:flex;justify-content:center;align-items:center;gap:.7rem;font-weight:600;letter-spacing:-.01em}
.brand img{height:2.25rem;max-width:12rem;object-fit:contain}
.brand svg{width:1.7rem;height:1.7rem;color:var(--accent);flex:none}
main{width:100%;padding:1.5rem 1.25rem 3rem;align-self:start}
.sheet{width:100%;max-width:27rem;margin:0 auto;background:var(--card);border:1px solid var(--line);border-radius:var(--radius);padding:2.25rem;display:grid;grid-template-columns:minmax(0,1fr);gap:1.6rem;box-shadow:0 1px 2px rgb(15 35 45/.05),0 12px 32px -14px rgb(15 35 45/.14)}
.wide{max-width:42rem}
.middle{max-width:34rem}
.head{display:grid;gap:.55rem}
.head p{color:var(--dim);text-wrap:pretty}
.foot{padding:0 1.25rem 2rem;color:var(--dim);font-size:.85rem;text-align:center}

.app{display:flex;align-items:center;gap:.9rem;min-width:0}
.app>div{min-width:0}
.app b{display:block;font-weight:650;overflow-wrap:anywhere;line-height:1.3}
.app>div span{color:var(--dim);font-size:.9rem;overflow-wrap:anywhere}
.monogram{flex:none;width:2.9rem;height:2.9rem;border-radius:.85rem;display:grid;place-items:center;background:color-mix(in srgb,var(--accent) 13%,var(--card));color:var(--accent);font-weight:650;font-size:1.2rem}
.who{display:grid;gap:.6rem}
.who .facts{gap:.05rem 1rem}
.rule{border:0;border-top:1px solid var(--line);margin:0}

form,.stack{display:grid;grid-template-columns:minmax(0,1fr);gap:1.15rem}
.field{display:grid;gap:.35rem}
label,.label{font-weight:550}
.hint{color:var(--dim);font-size:.9rem}
input[type=text],input[type=password],input[type=search]{width:100%;min-height:3rem;padding:.6rem .85rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:var(--radius-small)}
input[aria-invalid=true]{border-color:var(--bad);border-width:2px}
input:focus-visible{outline-offset:0;border-radius:var(--radius-small)}
.code input{font-size:1.5rem;letter-spacing:.22em;font-variant-numeric:tabular-nums;text-align:center}
.search{grid-template-columns:minmax(0,1fr) auto;gap:.6rem;align-items:end}
.search .hint{grid-column:1/-1;margin-top:-.25rem}

button,.button{appearance:none;display:inline-flex;justify-content:center;align-items:center;gap:.5rem;min-height:3rem;padding:.6rem 1.25rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;border-radius:var(--radius-small);border:1px solid transparent;background:var(--accent);color:var(--on-accent);cursor:pointer}
button:hover,.button:hover{filter:brightness(1.09)}
button:active{transform:translateY(1px)}
.second{background:var(--card);color:var(--ink);border-color:var(--edge)}
.second:hover{background:var(--tint);filter:none}
.plain{min-height:0;padding:.2rem .1rem;background:none;border:0;color:var(--accent);font-weight:550;text-decoration:underline;text-underline-offset:.2em}
.plain:hover{filter:none;text-decoration-thickness:.14em}
.risky{background:var(--card);color:var(--bad);border-color:var(--bad)}
.risky:hover{background:var(--bad-tint);filter:none}
.full{width:100%}
.row{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.row>button,.row>form{flex:1 1 10rem}
.row>form button{width:100%}
.between{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:center;gap:.5rem 1rem}
.between form{display:block}
.between>.head{flex:1 1 8rem}
.or{display:flex;align-items:center;gap:.9rem;color:var(--dim);font-size:.9rem}
.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}

.note{border-radius:var(--radius-small);padding:.85rem 1rem;border:1px solid transparent;font-size:.95rem}
.note:focus{outline:3px solid var(--focus);outline-offset:2px}
.note h2{font-size:1rem;margin-bottom:.15rem}
.note{border-color:color-mix(in srgb,currentColor 35%,transparent)}
.note.bad{color:var(--bad);background:var(--bad-tint)}
.note.good{color:var(--good);background:var(--good-tint)}
.note.warn{color:var(--warn);background:var(--warn-tint)}

.choices{border:1px solid var(--line);border-radius:var(--radius-small);overflow:hidden}
.choices li+li{border-top:1px solid var(--line)}
.choice{width:100%;min-height:0;padding:.95rem 1.05rem;display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem 1rem;justify-content:initial;text-align:left;background:var(--card);color:var(--ink);border:0;border-radius:0;font-weight:400}
.choice:hover{background:var(--tint);filter:none}
.choice:focus-visible{outline-offset:-3px;border-radius:var(--radius-small)}
.choice b{font-weight:620;overflow-wrap:anywhere}
.choice .facts{grid-column:1;color:var(--dim);font-size:.92rem}
.choice svg{grid-column:2;grid-row:1/3;align-self:center;width:1.15rem;height:1.15rem;color:var(--edge)}
.choice:hover svg{color:var(--accent)}
.facts{display:flex;flex-wrap:wrap;gap:.05rem .5rem}
.facts>span+span::before{content:"·";margin-right:.5rem;color:var(--edge)}
.empty{padding:1.75rem 1rem;text-align:center;border:1px dashed var(--line);border-radius:var(--radius-small);color:var(--dim)}
.empty b{color:var(--ink);display:block;margin-bottom:.2rem}

.person{background:var(--tint);border-radius:var(--radius-small);padding:1rem 1.1rem;display:grid;gap:.15rem}
.person .kind{font-size:.82rem;color:var(--dim);font-weight:550}
.person b{font-size:1.1rem;font-weight:650;overflow-wrap:anywhere}
.person .facts{color:var(--dim);font-size:.94rem}
.person .small{margin-top:.5rem}

.scopes{display:grid;gap:1.35rem}
.scopes h3{font-size:.86rem;color:var(--dim);font-weight:600;margin-bottom:.45rem}
.scope{display:grid;grid-template-columns:1.35rem minmax(0,1fr);gap:.1rem .85rem;padding:.7rem 0;border-top:1px solid var(--line)}
.scope>input,.kinds input{width:1.3rem;height:1.3rem;margin:.12rem 0 0;accent-color:var(--accent)}
.scope label{font-weight:600}
.scope .detail{grid-column:2;color:var(--dim);font-size:.94rem}
.tag{display:inline-block;font-size:.78rem;font-weight:600;color:var(--warn);background:var(--warn-tint);border-radius:99px;padding:.02rem .6rem;margin-left:.4rem;vertical-align:.08em}
.kinds{grid-column:2;margin-top:.5rem;padding:.75rem .9rem;background:var(--tint);border-radius:var(--radius-small)}
.kinds label{font-weight:450}
.kinds .pick{display:grid;grid-template-columns:1.3rem minmax(0,1fr);gap:.7rem;padding:.22rem 0}
.kinds .modes{display:flex;flex-wrap:wrap;gap:.1rem 1.75rem}
.kinds .list{margin-top:.55rem;padding-top:.55rem;border-top:1px solid var(--line);display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.05rem 1rem}
.kinds:has(input[value=all]:checked) .list{display:none}
.scope:has(>input:not(:checked)) .kinds{display:none}
.scope:has(>input:not(:checked)) .detail{opacity:.75}
.check{display:grid;grid-template-columns:1.35rem minmax(0,1fr);gap:.85rem}
.check input{width:1.3rem;height:1.3rem;margin:.12rem 0 0;accent-color:var(--accent)}
.check label{font-weight:450}
details summary{cursor:pointer;color:var(--accent);font-weight:550;font-size:.92rem;width:fit-content}
details ul{margin-top:.6rem;display:grid;gap:.25rem}
code,.mono{font:.88rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.usercode{font:650 1.85rem/1.3 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.12em;text-align:center;background:var(--tint);border-radius:var(--radius-small);padding:.9rem;overflow-wrap:anywhere}
.key{font:600 1.05rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.06em;background:var(--tint);border-radius:var(--radius-small);padding:.75rem 1rem;overflow-wrap:anywhere}
.report{display:grid;gap:1rem;background:var(--tint);border-radius:var(--radius-small);padding:1.1rem 1.2rem}
.report dt{font-size:.85rem;font-weight:600;color:var(--dim)}
.report dd{overflow-wrap:anywhere}

.tabs{display:flex;flex-wrap:wrap;gap:.35rem 1.5rem;border-bottom:1px solid var(--line)}
.tabs a{padding:.45rem 0 .6rem;text-decoration:none;color:var(--dim);font-weight:550;border-bottom:3px solid transparent;margin-bottom:-1px}
.tabs a:hover{color:var(--ink)}
.tabs a[aria-current]{color:var(--ink);border-color:var(--accent)}
.cards{display:grid;gap:1rem}
.card{border:1px solid var(--line);border-radius:var(--radius-small);padding:1.15rem 1.2rem;display:grid;gap:.8rem}
.card form{justify-items:start}
.card .facts{display:grid}
.card .facts>span+span::before{content:none}
.part{display:grid;gap:.4rem;border-top:1px solid var(--line);padding-top:.8rem}
.part h2{font-size:1rem}
.card .risky,.card .second{min-height:2.6rem;padding:.35rem 1rem}
.card li.scope-line{padding:.15rem 0 .15rem 1.1rem;position:relative;font-size:.95rem}
.card li.scope-line::before{content:"";position:absolute;left:.1rem;top:.78em;width:.4rem;height:.4rem;border-radius:50%;background:var(--edge)}
@media(max-width:32rem){
.brand{padding:1.1rem 1.1rem .25rem}
main{padding:.75rem .6rem 2rem}
.sheet{padding:1.5rem 1.15rem;gap:1.35rem}
h1{font-size:1.4rem}
.search{grid-template-columns:minmax(0,1fr)}
.search button{order:3}
.facts{display:grid}
.facts>span+span::before{content:none}
.kinds{grid-column:1/-1}}
@media(forced-colors:active){.scope>input,.kinds input{accent-color:auto}button,.button,.sheet,.person,.kinds{border:1px solid}}
@media(prefers-reduced-motion:no-preference){button,.choice,.tabs a{transition:background-color .12s,filter .12s}}
@media print{body{background:none}.sheet{box-shadow:none}}
`
  .trim()
  .replaceAll('\n', '')
