#!/usr/bin/env bash
# 把 prompts.tsv、numbers.tsv、callers.tsv、callees.tsv 的文字合成 8 kHz A 律声音，结果入库；运行平台不需要本脚本。
# 需要 espeak-ng 和 sox（Debian：apt-get install espeak-ng sox）。正式使用请换成录音棚的录音：
# 放到 数据目录/voice/prompts/名称.wav（8 kHz 单声道，A 律或 16 位 PCM）。
# 只合成还没有的；改了文字请先删掉对应的 .al。
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT

# 号码逐位读，不读成数目
spell() { sed 's/1/一/g;s/2/二/g;s/3/三/g;s/4/四/g;s/5/五/g;s/6/六/g;s/7/七/g;s/8/八/g;s/9/九/g;s/0/零/g' <<<"$1"; }

# say 变体 音高 语速 文字 输出
say() {
  espeak-ng -v "cmn+$1" -p "$2" -s "$3" -w "$tmp/s.wav" "$(spell "$4")"
  sox -D "$tmp/s.wav" -t al -r 8000 -c 1 "$5" gain -6 highpass 150 lowpass 3600 \
    silence 1 0.01 0.4% reverse silence 1 0.01 0.4% reverse silence -l 1 0.01 0.4% -1 0.2 0.6% tempo -s 1.26 norm -4 pad 0.02 0.04
}
ms() { echo $(( $(stat -c %s "$1") / 8 )); }

mkdir -p prompts numbers callers callees
for table in prompts numbers; do
  while IFS=$'\t' read -r name _ text; do
    [ -s "$table/$name.al" ] || say f2 50 250 "$text" "$table/$name.al"
  done <"$table.tsv"
done

# 音：回铃音和忙音按国内制式（450 Hz；1 秒响 4 秒停，0.35 秒响 0.35 秒停）
al=(-t al -r 8000 -c 1)
[ -s prompts/ringback.al ] || sox -D -n "${al[@]}" prompts/ringback.al synth 1 sine 450 vol 0.25 pad 0 4
[ -s prompts/busy.al ] || sox -D -n "${al[@]}" prompts/busy.al synth 0.35 sine 450 vol 0.25 pad 0 0.35
[ -s prompts/beep.al ] || sox -D -n "${al[@]}" prompts/beep.al synth 0.2 sine 1400 vol 0.2 pad 0.02 0.05
# 等候音乐：五声音阶的短句，自作，无版权问题
if [ ! -s prompts/moh.al ]; then
  notes=(523 587 659 784 880 784 659 587 523 659 784 880 659 587 523)
  parts=()
  for i in "${!notes[@]}"; do
    sox -D -n -r 8000 -c 1 "$tmp/n$i.wav" synth 1.01 pluck "${notes[$i]}" fade t 0 1.01 0.5 vol 0.35
    parts+=("$tmp/n$i.wav")
  done
  sox -D "${parts[@]}" "${al[@]}" prompts/moh.al reverb 30 norm -16
fi

# 来电人：一句一句合成，时刻写进 callers/名称.json
while IFS=$'\t' read -r name title dnis voice text; do
  [ -s "callers/$name.al" ] && continue
  lines=""
  if [ "$voice" = - ]; then
    sox -D -n "${al[@]}" "callers/$name.al" synth 10 pinknoise vol 0.004
  else
    IFS=: read -r variant pitch speed <<<"$voice"
    sox -D -n "${al[@]}" "$tmp/all.al" trim 0 0.4
    IFS='|' read -ra sentences <<<"$text"
    for s in "${sentences[@]}"; do
      say "$variant" "$pitch" "$speed" "$s" "$tmp/one.al"
      from=$(ms "$tmp/all.al"); cat "$tmp/one.al" >>"$tmp/all.al"; to=$(ms "$tmp/all.al")
      lines+="${lines:+,}"$'\n'"  {\"from\": $from, \"to\": $to, \"text\": \"$s\"}"
      sox -D -n "${al[@]}" "$tmp/gap.al" trim 0 0.35; cat "$tmp/gap.al" >>"$tmp/all.al"
    done
    cp "$tmp/all.al" "callers/$name.al"
  fi
  printf '{"name": "%s", "title": "%s", "dnis": "%s", "lines": [%s\n]}\n' "$name" "$title" "$dnis" "$lines" >"callers/$name.json"
done <callers.tsv
# 被叫：演示中外呼、转接的对方
while IFS=$'\t' read -r name voice text; do
  [ -s "callees/$name.al" ] && continue
  IFS=: read -r variant pitch speed <<<"$voice"
  sox -D -n "${al[@]}" "$tmp/all.al" trim 0 0.4
  IFS='|' read -ra sentences <<<"$text"
  for s in "${sentences[@]}"; do
    say "$variant" "$pitch" "$speed" "$s" "$tmp/one.al"
    sox -D -n "${al[@]}" "$tmp/gap.al" trim 0 0.8
    cat "$tmp/one.al" "$tmp/gap.al" >>"$tmp/all.al"
  done
  cp "$tmp/all.al" "callees/$name.al"
done <callees.tsv
du -cb prompts numbers callers callees | tail -1
