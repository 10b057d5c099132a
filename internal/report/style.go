package report

// style holds all looks. Colours were chosen to be told apart by people who do
// not see red and green as others do; every colour also has a word beside it.
const style = `
:root{--bg:#fbfbfa;--ink:#1d2126;--soft:#5b6470;--line:#dfe2e6;--card:#fff;--good:#1a7f4b;--bad:#c0321f;--warn:#9a6200;--calm:#2e63b8;
--c0:#3b6fc4;--c1:#1f9d94;--c2:#8a63c9;--c3:#8b8f3a;--fail:#d9482f;--detect:#8a63c9;--decide:#c98a1b;--execute:#2e7bc4}
@media (prefers-color-scheme:dark){:root{--bg:#15181c;--ink:#e6e8ea;--soft:#9aa3ad;--line:#31373e;--card:#1c2026;--good:#4cc38a;--bad:#ff7a66;--warn:#e6ae4c;--calm:#7fb0ff;
--c0:#5e93ea;--c1:#35bdb2;--c2:#ab8aea;--c3:#b3b757;--fail:#f0654c;--detect:#ab8aea;--decide:#e0a63c;--execute:#55a0ea}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:66rem;margin:0 auto;padding:1rem}
article{margin-bottom:2.5rem}
h1{font-size:1.35rem;margin:0 0 .4rem;line-height:1.25}
h2{font-size:1.05rem;margin:0 0 .6rem}
h3{font-size:.95rem;margin:0}
p{margin:.25rem 0}
code{font:13px/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.head,section,.facts{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;margin-bottom:1rem}
.head{border-left:6px solid var(--calm)}
.head.good{border-left-color:var(--good)}.head.bad{border-left-color:var(--bad)}.head.warn{border-left-color:var(--warn)}
.verdict strong{text-transform:uppercase;letter-spacing:.04em;margin-right:.4rem}
.key{color:var(--soft);font-size:.85rem;margin-right:.3rem}
.note,.detail{color:var(--soft);font-size:.87rem}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.head.good,.head.bad,.head.warn{color:inherit}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin-bottom:.9rem}
.tile{flex:1 1 9rem;border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem}
.tile span{display:block;color:var(--soft);font-size:.8rem}
.tile b{font-size:1.35rem;font-variant-numeric:tabular-nums}
.tile .state.met,.tile .state.inside{color:var(--good)}.tile .state.missed,.tile .state.breached{color:var(--bad)}.tile .state.half,.tile .state.late{color:var(--warn)}
.track{position:relative;height:14px;background:color-mix(in srgb,var(--line) 45%,transparent);border-radius:3px}
.track.tall{height:26px;margin-bottom:.5rem}
.bar{position:absolute;top:2px;bottom:2px;border-radius:2px;background:var(--c0)}
.tall .bar{top:0;bottom:0;border-radius:0;border-right:2px solid var(--card)}
.bar.detect,i.detect{background:var(--detect)}.bar.decide,i.decide{background:var(--decide)}.bar.execute,i.execute{background:var(--execute)}
.bar.done,i.done{background:var(--c0)}.bar.active,i.active{background:var(--decide)}.bar.failed,i.failed{background:var(--fail)}
.bar.skipped,i.skipped,.bar.pending{background:var(--soft)}.bar.undoing,.bar.undone,i.undone,.bar.left{background:var(--c2)}
.stage .bar{top:0;bottom:0}
.stage .bar.done{background:var(--ink)}
.limit{position:absolute;top:-4px;bottom:-4px;border-left:3px dashed var(--bad);margin-left:-2px}
.grid,.moment{position:absolute;top:0;bottom:0;border-left:1px solid var(--line)}
.moment{border-left:2px dotted var(--warn)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.5rem 0 0;padding:0;font-size:.85rem;color:var(--soft)}
.legend b{color:var(--ink)}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.limitkey{border-left:3px dashed var(--bad)}.momentkey{border-left:2px dotted var(--warn)}
.row{display:grid;grid-template-columns:17rem 1fr;gap:0 .8rem;align-items:center;padding:1px 0}
.row.stage{border-top:1px solid var(--line);margin-top:.35rem;padding-top:.35rem}
.row .label{font-size:.86rem;overflow-wrap:anywhere}
.row:not(.stage) .label{padding-left:.9rem}.row:not(.stage) .label b{font-weight:500}
.label span{color:var(--soft);font-size:.8rem}
.label .took{font-variant-numeric:tabular-nums}
.label .oneway{color:var(--bad);border:1px solid;border-radius:3px;padding:0 .25em;font-size:.72rem}
.row .detail{grid-column:2;margin:0 0 .2rem;font-size:.78rem;overflow-wrap:anywhere}
.row.axis{padding:0}
.scale{position:relative;height:1.2rem;font-size:.75rem;color:var(--soft)}
.scale.marks{height:0}
.scale span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.scale span:first-child{transform:none}
.traffic{margin:.5rem 0}
.plot{position:relative;height:64px;border-bottom:1px solid var(--line)}
.plot svg{display:block;width:100%;height:100%}
rect.r0,i.r0{fill:var(--c0);background:var(--c0)}rect.r1,i.r1{fill:var(--c1);background:var(--c1)}rect.r2,i.r2{fill:var(--c2);background:var(--c2)}rect.r3,i.r3{fill:var(--c3);background:var(--c3)}
rect.failed,i.failed{fill:var(--fail)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.87rem}
th{text-align:left;color:var(--soft);font-weight:500}
th,td{padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.num{font-variant-numeric:tabular-nums;white-space:nowrap}
.events td:nth-child(-n+2){white-space:nowrap;font-variant-numeric:tabular-nums}
.calm{color:var(--calm)}.head.calm{color:inherit}
.counts td.num,.counts th:not(:first-child){text-align:right}
.item{border-top:1px solid var(--line);padding:.35rem 0}
.sign{display:inline-block;width:1rem;font-family:ui-monospace,Menlo,Consolas,monospace}
.changes{list-style:none;margin:.15rem 0 0 1rem;padding:0;font-size:.87rem;overflow-wrap:anywhere}
ins{text-decoration:none;color:var(--good)}del{color:var(--bad)}
.register tbody{border-bottom:2px solid var(--line)}
.check{border-top:1px solid var(--line);padding:.4rem 0}
.grade{display:inline-block;min-width:5.5rem;text-transform:uppercase;font-size:.8rem;letter-spacing:.04em}
.ballot{border-left:3px solid var(--line);padding-left:.8rem;margin-bottom:.8rem}
.ballot ul{margin:.3rem 0;padding-left:1.1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.6rem 0 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:40rem){main{padding:.5rem}table:not(.events){min-width:34rem}.row{grid-template-columns:1fr}.row .detail{grid-column:1}.row:not(.stage) .label{padding-left:0}.row:not(.stage){padding-left:.6rem}dl{grid-template-columns:1fr}}
@media print{body{background:#fff;font-size:11px}.head,section,.facts{break-inside:avoid-page;border-color:#bbb}.bar,i,rect,.track{print-color-adjust:exact;-webkit-print-color-adjust:exact}.scroll{overflow:visible}}
`
