package zh
import ("testing";"fmt";"os";"encoding/json";"bufio";"time")
func TestX(t *testing.T){
 f,_:=os.Open("/work/shared/data/text/hot_messages.jsonl"); sc:=bufio.NewScanner(f); sc.Buffer(nil,1<<20)
 n,c:=0,0; t0:=time.Now(); var d time.Duration
 for sc.Scan(){ var v struct{Title,Body string}; json.Unmarshal(sc.Bytes(),&v); s:=[]rune(v.Title+"。"+v.Body); c+=len(s)
  t1:=time.Now(); o:=[]rune(Redact(string(s))); d+=time.Since(t1)
  if len(o)!=len(s){t.Fatal(string(s))}
  for i:=0;i<len(s);i++{ if o[i]!=s[i] { j:=i; for j<len(s)&&(o[j]!=s[j]){j++}; a,b:=max(0,i-6),min(len(s),j+6); fmt.Printf("M %s[%s]%s\n",string(s[a:i]),string(s[i:j]),string(s[j:b])); n++; i=j } }
 }
 fmt.Println("masks",n,"chars",c,d,time.Since(t0))
}
