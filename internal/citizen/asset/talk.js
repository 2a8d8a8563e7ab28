// New messages of a conversation appear by themselves; without this the
// visitor presses 刷新看回复.
(()=>{'use strict';
let t=document.getElementById('talk'),n=0;
setInterval(()=>{
  if(document.hidden||n++>720)return;
  fetch(location.pathname).then(r=>r.ok?r.text():'').then(h=>{
    let e=h&&new DOMParser().parseFromString(h,'text/html').getElementById('talk');
    if(e&&e.innerHTML!==t.innerHTML){t.innerHTML=e.innerHTML;t.lastElementChild.scrollIntoView({block:'nearest'})}
  }).catch(()=>0)
},5e3)
})();
