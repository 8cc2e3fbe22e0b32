/** Everything the landing page looks like; no fonts, images or colours from elsewhere. */
export const LANDING_STYLE = `
:root{--ink:#15212b;--dim:#566573;--line:#dde4ea;--paper:#f6f8fa;--card:#fff;--accent:#0b6bcb;--good:#0a7d45;--bad:#b42318;--code:#eef2f6}
@media(prefers-color-scheme:dark){:root{--ink:#e8eef3;--dim:#9aabb8;--line:#2a363f;--paper:#0f161b;--card:#172128;--accent:#6db3f8;--good:#4cc98a;--bad:#ff8a7a;--code:#202c35}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 1rem;display:grid;grid-template-columns:minmax(0,1fr);gap:1.25rem}
header{padding:0 .25rem .5rem}
h1{margin:.4rem 0 .2rem;font-size:clamp(2rem,6vw,3rem);letter-spacing:-.03em;line-height:1.1}
h2{margin:0 0 1rem;font-size:1.15rem}
.lead{margin:.5rem 0 0;font-size:1.1rem;color:var(--dim);max-width:44rem}
.state{display:inline-flex;align-items:center;gap:.5rem;margin:0;font-size:.85rem;font-weight:600}
.state:before{content:"";width:.6rem;height:.6rem;border-radius:50%;background:currentColor}
.good{color:var(--good)}.bad{color:var(--bad)}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.4rem}
code{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);padding:.1em .35em;border-radius:5px;overflow-wrap:anywhere}
pre{margin:.5rem 0 0;background:var(--code);border-radius:9px;padding:.8rem 1rem;overflow-x:auto}
pre code{background:none;padding:0;overflow-wrap:normal}
a{color:var(--accent);text-underline-offset:.2em}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1rem;margin:0 0 1.3rem}
.figures dt{color:var(--dim);font-size:.85rem}
.figures dd{margin:0;font-size:1.8rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.figures dd.small{font-size:1rem;font-weight:500;letter-spacing:0;padding-top:.65rem}
.bars{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:.3rem 2rem}
.bars li{display:grid;grid-template-columns:9.5rem 1fr 3.5rem;gap:.6rem;align-items:center;font-size:.9rem}
.bars b{text-align:right;font-weight:550;font-variant-numeric:tabular-nums}
meter{width:100%;height:.55rem;border:0;border-radius:99px;background:var(--code)}
meter::-webkit-meter-bar{height:.55rem;border:0;border-radius:99px;background:var(--code)}
meter::-webkit-meter-optimum-value{background:var(--accent);border-radius:99px}
meter::-moz-meter-bar{background:var(--accent);border-radius:99px}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;padding:.5rem .8rem .5rem 0;border-top:1px solid var(--line);vertical-align:top}
tr:first-child>*{border-top:0;padding-top:0}
th{font-weight:550;white-space:nowrap}
td:last-child{color:var(--dim)}
.steps{margin:0;padding-left:1.2rem;display:grid;grid-template-columns:minmax(0,1fr);gap:1.1rem}
.steps p{margin:0}
.note{color:var(--dim);font-size:.9rem;margin:1.1rem 0 0}
.status{color:var(--bad)}
.checks{list-style:none;margin:1rem 0 0;padding:0;border-left:2px solid var(--line)}
.checks li{display:flex;gap:.8rem;padding:.22rem 0 .22rem 0;margin-left:-.72rem;font-size:.92rem}
.checks p{margin:.2rem 0 .3rem;color:var(--dim)}
.checks span{color:var(--dim)}
.mark{flex:none;width:1.4rem;height:1.4rem;border-radius:50%;background:var(--card);border:2px solid var(--line);display:grid;place-items:center;font-size:.75rem;font-weight:700}
.pass .mark{color:var(--good);border-color:var(--good)}
.fail .mark{color:var(--card);background:var(--bad);border-color:var(--bad)}
.skipped{opacity:.55}
input,button{font:inherit;padding:.6rem .8rem;border-radius:9px;border:1px solid var(--line)}
input{width:100%;background:var(--paper);color:var(--ink)}
button{background:var(--accent);color:var(--card);border-color:var(--accent);font-weight:600;cursor:pointer}
footer{max-width:60rem;margin:0 auto;padding:1rem 1.5rem 3rem;color:var(--dim);font-size:.85rem}
@media(max-width:34rem){main{padding:1.5rem .8rem}section{padding:1.1rem}tr{display:block;padding:.45rem 0;border-top:1px solid var(--line)}th,td{display:block;border:0;padding:0}td:last-child{display:none}.findings td:last-child{display:block}.findings thead{display:none}.bars li{grid-template-columns:9.5rem 1fr 3rem}}
`
  .trim()
  .replaceAll('\n', '')
