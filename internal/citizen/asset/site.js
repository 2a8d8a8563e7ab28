// Makes the pages handier; every page works without it. ES2017, no modules:
// old WebViews must run it. Served without these comments and indents.
(()=>{'use strict';
let d=document,$=i=>d.getElementById(i),all=(s,f,e)=>(e||d).querySelectorAll(s).forEach(f);
let put=(e,t,x)=>{let n=d.createElement(t);if(x)n.textContent=x;e.appendChild(n);return n};
d.documentElement.classList.add('js');
// place lists follow each other
all('[data-next]',s=>s.onchange=()=>{
  let n=$(s.dataset.next),w=n.parentNode;
  n.innerHTML='';w.hidden=true;n.onchange&&n.onchange();
  s.value&&fetch('/submit/regions?parent='+s.value).then(r=>r.text()).then(t=>{n.innerHTML=t;w.hidden=!n.options[1]})
});
// the limit follows the type, the phone is needed unless anonymous, 保密 unless 举报
let rules=()=>{
  let t=d.querySelector('[name=type]:checked'),l=$('limit'),a=$('anonymous');
  if(l&&t)l.textContent=t.dataset.limit?'一般'+t.dataset.limit+'内答复您。':'';
  if(a)$('phone').required=!a.checked;
  t&&all('[name=secrecy]',e=>e.required=!t.dataset.forced)
};
// at once and not when the input is left: a page that moves under the pressed button loses the click
d.oninput=e=>{
  let o=e.target.closest('.bad');
  if(o&&e.target.validity.valid){o.classList.remove('bad');o.querySelector('.err').textContent=''}
  rules()
};
rules();
// chosen files add up, with previews
let f=$('files'),kept=[];
let show=()=>{
  let t=new DataTransfer(),v=$('pv'),bad='';v.innerHTML='';
  kept=kept.filter(x=>x.size<=20971520||!(bad+='“'+x.name+'”超过20MB，没有加入。'));
  if(kept[9])bad+='最多9个，多出的没有加入。';
  kept=kept.slice(0,9);
  kept.forEach((x,i)=>{
    t.items.add(x);let l=put(v,'li'),b;
    if(/^image/.test(x.type)){b=put(l,'img');b.src=URL.createObjectURL(x);b.alt=x.name}else put(l,'span',x.name);
    b=put(l,'button','移除');b.type='button';b.setAttribute('aria-label','移除'+x.name);
    b.onclick=()=>{kept.splice(i,1);show();f.focus()}
  });
  f.files=t.files;$('files-n').textContent=bad+(kept[0]?'已选'+kept.length+'个。':'')
};
if(f&&window.DataTransfer)f.onchange=()=>{kept.push(...f.files);show()};
// find what is missing before files travel; never send twice
let sum=$('sum');
all('form',m=>m.onsubmit=e=>{
  let b=e.submitter,u;
  if(m.dataset.sent)return false;
  if(m.hasAttribute('data-check')&&!(b&&b.formNoValidate)){
    sum.innerHTML='';
    all('[data-e]',x=>{
      let bad=!x.validity.valid,t=bad?x.dataset.e:'';
      x.closest('.f').classList.toggle('bad',bad);$(x.name+'-e').textContent=t;
      if(bad){u=u||put(sum,'h2','请补充以下内容')&&put(sum,'ul');put(put(u,'li'),'a',t).href='#'+x.id}
    },m);
    sum.hidden=!u;
    if(u){sum.tabIndex=-1;sum.setAttribute('role','alert');sum.focus();return false}
  }
  m.dataset.sent=1;
  if(b&&b.dataset.busy){b.dataset.was=b.textContent;b.textContent=b.dataset.busy}
});
// back from the next page: the same form, the same key, may be sent again
window.onpageshow=()=>{all('[data-sent]',m=>delete m.dataset.sent);all('[data-was]',b=>b.textContent=b.dataset.was)};
sum&&sum.focus();
all('[data-copy]',b=>b.onclick=()=>{
  let t=put(d.body,'textarea');t.value=b.dataset.copy;t.select();
  if(d.execCommand('copy'))b.textContent=b.dataset.ok;
  t.remove();b.focus()
});
let y=$('say'),z=window.speechSynthesis;
if(y&&z){y.hidden=false;y.onclick=()=>{
  let off=()=>y.textContent='朗读',u=new SpeechSynthesisUtterance($('main').innerText);
  if(z.speaking){z.cancel();return off()}
  u.lang='zh-CN';u.rate=.9;u.onend=off;y.textContent='停止';z.speak(u)
}}
let c=$('counts');
c&&setInterval(()=>d.hidden||fetch('/counts').then(r=>r.ok?r.text():'').then(t=>{if(t)c.innerHTML=t}),3e4)
})();
