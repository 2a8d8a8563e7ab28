// Proof of work, loaded only when one is asked for: finds n so that
// SHA-256(token.n) begins with so many zero bits, and sends a form that waited.
(()=>{'use strict';
let w=document.getElementById('pow'),q=window.crypto&&crypto.subtle,n=0,wait;
let text=t=>document.getElementById('powtext').textContent=t;
if(!q)return text('这个浏览器不能自动验证。');
w.form.addEventListener('submit',e=>{
  if(w.value||e.defaultPrevented||e.submitter&&e.submitter.formNoValidate)return;
  e.preventDefault();wait=1;text('正在验证，完成后自动提交。')
});
let go=()=>{
  let j=[],k=w.dataset.token+'.';
  for(let i=0;i<256;i++)j.push(q.digest('SHA-256',new TextEncoder().encode(k+(n+i))));
  Promise.all(j).then(r=>{
    let i=r.findIndex(b=>new DataView(b).getUint32(0)<Math.pow(2,32-w.dataset.bits));
    if(i<0){n+=256;return go()}
    w.value=k+(n+i);text('验证已完成。');wait&&w.form.submit()
  })
};
go()
})();
