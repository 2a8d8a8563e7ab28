package cdr

// Events of a call; the subject is "call". Data always has p 平台, line, mode, dir,
// and, where there is one, seat, su 座席单位 and skill; test of a 拨测.
const (
	EventIncoming       = "call.incoming"
	EventQueued         = "call.queued"
	EventRinging        = "call.ringing"
	EventAnswered       = "call.answered"
	EventTransfer       = "call.transfer"
	EventTransferFailed = "call.transfer_failed"
	EventConference     = "call.conference"
	EventHanded         = "call.handed"
	EventRequeued       = "call.requeued"
	EventRedialled      = "call.redialled"
	EventCallback       = "call.callback"
	EventDial           = "call.dial"
	EventSurvey         = "call.survey"
	EventWarned         = "call.warned"
	EventTextLink       = "call.text_link"
	EventFlag           = "call.flag"
	EventPaused         = "call.paused"
	EventRecorded       = "call.recorded"
	EventTicket         = "call.ticket"
	EventWrapped        = "call.wrapped"
	EventEnded          = "call.ended"
	EventListen         = "call.listen"
	EventWhisper        = "call.whisper"
	EventBarge          = "call.barge"
	EventTakeOver       = "call.take_over"
	EventState          = "agent.state" // subject "seat"
)
