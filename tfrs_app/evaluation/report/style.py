"""The CSS of the evaluation page, beyond what all reports share."""

from __future__ import annotations

STYLE = """
:root{--m0:#1d5fa8;--m1:#0f766e;--m2:#6d28d9;--rival:#b45309;--other:#8a94a3;
--soft:#e9f0f9;--hit:#e3f4ea}
@media(prefers-color-scheme:dark){:root{--m0:#7ab8f5;--m1:#5eead4;--m2:#c4a7ff;
--rival:#f5a95b;--other:#7d8998;--soft:#1f2b3a;--hit:#173a29}}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--line:#bbb;--card:#fff;
--m0:#1d5fa8;--m1:#0f766e;--m2:#6d28d9;--rival:#b45309;--other:#777;--bar:#4c78a8;
--bad:#b42318;--good:#1a7f4b;--soft:#eee;--hit:#e3f4ea}}
body{max-width:76rem}header{margin-bottom:.8rem}nav{margin:.5rem 0}
nav a{margin-right:1rem;color:var(--m0)}
h2{font-size:1.25rem;margin-top:2.4rem}h3{font-size:1rem;margin:1.4rem 0 .4rem}
.dim{max-width:46rem}.m0{--mark:var(--m0)}.m1{--mark:var(--m1)}.m2{--mark:var(--m2)}
.rival{--mark:var(--rival)}.other{--mark:var(--other)}
tr.model>*{background:var(--soft)}tr.model>th,tr.rival>th{font-weight:600}
td,thead th{white-space:nowrap}td small,th small{display:block}
td small{font-size:.78em}.best{font-weight:700}
.dense td,.dense thead th{padding:.2rem .3rem;font-size:.92em}
.wide th:first-child{position:sticky;left:0;z-index:1;
background:var(--card);padding-left:.4rem}
.wide tr.model>th:first-child{background:var(--soft)}
.wide th{overflow-wrap:normal}.wide th:first-child{overflow-wrap:break-word;
min-width:6rem}
.name{white-space:nowrap}.name::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;
margin-right:.45em;background:var(--mark)}
.ends{display:flex;gap:.7em;justify-content:space-between;min-width:min(24rem,28vw)}
svg.row{display:block;overflow:visible;width:100%;min-width:7rem;height:1.4rem}
svg.row line{vector-effect:non-scaling-stroke;stroke:var(--mark,var(--line))}
.dot{stroke-width:9;stroke-linecap:round}.whisker{stroke-width:2}
svg .zero,svg .level{stroke:var(--line);stroke-width:1}
svg .level{stroke:var(--rival);stroke-dasharray:3 3}
.length{fill:var(--mark)}.tenth{fill:var(--bar)}
.fate-listed{--mark:var(--good)}.fate-ranked_low{--mark:var(--m0)}
.fate-not_proposed{--mark:var(--rival)}.fate-barred{--mark:var(--m2)}
.fate-not_in_catalogue{--mark:var(--other)}
.fates rect{fill:var(--mark);stroke:var(--card);stroke-width:.3}
.fates svg.row{height:2.4rem;margin:.2rem 0 .6rem}
.reliability{display:flex;flex-wrap:wrap;gap:1rem}
.reliability figure{flex:1 1 17rem;max-width:30rem}
figcaption{color:var(--dim);font-size:.9rem}
svg.plot .even{stroke:var(--dim);stroke-dasharray:4 4}
svg.plot .span{stroke:var(--mark);stroke-width:1.2;opacity:.6}
.verdicts{display:grid;gap:.7rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}
.verdict{border-left:.35rem solid var(--other)}
.verdict b{display:block;font-size:1.1rem}.verdict.beats{border-color:var(--good)}
.verdict.loses{border-color:var(--bad)}.beats b{color:var(--good)}
.loses b{color:var(--bad)}
dl.facts{display:grid;gap:.6rem 1.2rem;margin:.2rem 0 .8rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,13rem),1fr))}
dt{color:var(--dim);font-size:.85rem}dd{margin:0;font-weight:600}
figure{margin:0}.beside{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}
.beside figure{flex:1 1 19rem}.beside .scroll{flex:1.3 1 min(100%,27rem)}
.beside>*{min-width:0}.scroll{overflow-x:auto}
.beside th,.beside td{padding:.2rem .3rem}.words td,.tuning td:nth-child(3){
white-space:normal;text-align:left;min-width:14rem}
svg.plot{display:block;width:100%;max-width:34rem;height:auto;font-size:11px;
fill:var(--ink)}
svg.plot .grid{stroke:var(--line);stroke-width:1}
svg.plot polyline{fill:none;stroke:var(--mark);stroke-width:1.4}
svg.plot .model polyline,svg.plot .rival polyline{stroke-width:2.6}
svg.plot .end{stroke:var(--mark);stroke-width:.8;opacity:.7}
svg.plot circle{fill:var(--mark)}svg.plot .model text,svg.plot .rival text{
fill:var(--mark);font-weight:600}svg.plot .other text,svg.plot .tick{fill:var(--dim)}
.customer{margin-bottom:.8rem}.customer h4{margin:0;font-size:1rem}
.lists{display:grid;gap:.4rem 1.4rem;margin-top:.5rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr))}
.lists h5{margin:.3rem 0 .2rem;font-size:.85rem;color:var(--dim)}
.lists ol,.lists ul{margin:0;padding:0;list-style:none;font-size:.87rem}
.lists li{padding:.12rem .4rem .12rem 1.8rem;text-indent:-1.4rem;
border-bottom:1px solid var(--line)}
.lists li:last-child{border-bottom:0}
.hit{background:var(--hit);font-weight:600}
.tag{color:var(--good);white-space:nowrap;font-weight:600;font-size:.8rem}
time{color:var(--dim);font-size:.8rem;white-space:nowrap;margin-right:.4rem}
.rank{display:inline-block;text-indent:0;min-width:1.4rem;color:var(--dim)}
@media(max-width:40rem){body{padding:.6rem;font-size:14px}
.card,.wide{padding:.6rem}th,td{padding:.2rem .35rem}
svg.row{min-width:5rem}.name,.wide th:first-child{white-space:normal}
tbody th small{display:none}}
@media print{body{font-size:11px}.wide th:first-child{position:static}
.ends{min-width:9rem}.dense td,.dense thead th{padding:.2rem .1rem;font-size:.84em}
svg.plot{max-width:22rem}}
"""
