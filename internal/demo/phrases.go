package demo

import "math/rand/v2"

// pick draws one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// The short texts that staff write at steps whose wording does not depend on
// the matter.
var (
	urges           = []string{"请问办到哪一步了，希望尽快。", "问题还在，请催一下承办单位。", "已经等了几天，请加快处理。", "请告知大概什么时候能办好。"}
	opinions        = []string{"情况属实，同意答复。", "答复事实清楚，同意。", "同意，请做好后续跟踪。", "办理到位，同意上报。", "依据充分，同意答复。"}
	closeOpinions   = []string{"答复完整，同意办结。", "诉求已回应，同意办结并转回访。", "办理过程和结果清楚，同意办结。", "同意办结。"}
	contactNotes    = []string{"已电话联系诉求人，核实具体位置和情况，说明处理安排。", "已与诉求人通话，了解诉求经过，约定现场查看时间。", "电话联系诉求人，说明受理情况和办理时限，诉求人表示理解。", "已联系诉求人，补充了现场情况，告知经办人和联系方式。"}
	relayQuestions  = []string{"请问能否补充发生的具体时间和位置？", "请协助确认现场情况是否仍然存在。", "请问是否有照片或其他线索可以补充？"}
	relayAnswers    = []string{"情况仍在，多在傍晚以后，位置与原先说的一致。", "没有更多材料，请以现场核查为准。", "已补充具体位置，请尽快核查。"}
	returnBases     = []string{"三定规定未列此项职责", "按权责清单该事项由建议单位负责", "该路段管养权已移交，移交协议在案", "按派单目录该事项不属本单位"}
	extendReasons   = []string{"需会同有关单位现场会商，申请延期。", "正在委托第三方检测，报告尚未出具。", "涉及多方协调，方案正在征求意见。", "受连续降雨影响，现场施工顺延。"}
	suspendReasons  = [][2]string{{"wait_citizen", "需诉求人补充证明材料，已告知并等待提交。"}, {"season", "作业受天气条件限制，待条件允许后施工。"}, {"policy", "相关政策正在调整，待上级文件明确后办理。"}}
	unsolvedReasons = []string{"需按计划分步实施，已告知诉求人时间安排。", "双方对处理方案尚未达成一致，已告知其他途径。", "涉及资金安排，正按程序申报。"}
	fixes           = []string{"请补充具体地址和门牌。", "请核实被反映单位的全称。", "请与诉求人确认发生时间和具体诉求。", "请补充联系方式并确认是否需要保密。"}
	verdicts        = []string{"经电话核实，问题仍未解决，发回承办单位重办。", "诉求人反映情况属实，答复与现场不符，发回重办。", "承办单位未落实承诺措施，发回重办并跟踪。"}
	upheld          = []string{"经复核，办理程序和结论符合规定，已向诉求人说明。", "该诉求受政策限制，结论维持，已解释依据和其他途径。", "现场已整改到位，诉求人对补偿有异议，已告知法律途径。"}
	superviseWhys   = []string{"群众多次反映，请承办单位限期办理并反馈。", "临近时限仍无实质进展，请加快办理。", "问题涉及面较广，请主要负责人过问。"}
	calledNotes     = []string{"诉求人表示问题已处理。", "诉求人对办理过程表示认可。", "诉求人说明了办理后的情况。", ""}
	exemptLegal     = "依法处置，按规定不单以满意度评价。"
)

// redirects are statutory channels that a seat tells instead of taking a ticket.
var redirects = []struct{ kind, text string }{
	{"litigation", "该事项已进入司法程序，请向人民法院咨询或拨打12368。"},
	{"litigation", "劳动争议请先向劳动人事争议仲裁委员会申请仲裁，可咨询12348。"},
	{"reconsideration", "对行政处罚不服的，可在收到决定书之日起六十日内申请行政复议。"},
	{"petition", "该事项已由信访渠道受理，请通过原渠道查询办理进度。"},
	{"disclosure", "申请公开政府信息，请向该机关信息公开工作机构提出书面申请。"},
	{"other_province", "该事项发生在外省，请拨打当地区号加12345反映。"},
}

// transfers are the lines that a seat passes a caller on to, by the first level
// of the matter.
var transfers = map[string]string{"08": "12333", "02": "12329", "05": "12328", "06": "12348", "10": "12393", "19": "12366"}

// merged lines on which some of the calls about a matter come in.
var lines = map[string]string{"07": "12315", "08": "12333", "05": "12328", "13": "12369", "10": "12393", "15": "12316"}
