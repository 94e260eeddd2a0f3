// Drives `dialback sandbox` with Twilio's own Go library, unmodified: everything that
// it plays, and Verify beside it.
//
//	go run go_alone.go BASE_URL ACCOUNT_SID AUTH_TOKEN
//
// in the directory of a module that has github.com/twilio/twilio-go. Exit code 0 when
// everything is as Twilio would have it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"
	accounts "github.com/twilio/twilio-go/rest/accounts/v1"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	content "github.com/twilio/twilio-go/rest/content/v1"
	events "github.com/twilio/twilio-go/rest/events/v1"
	iam "github.com/twilio/twilio-go/rest/iam/v1"
	lookups1 "github.com/twilio/twilio-go/rest/lookups/v1"
	lookups "github.com/twilio/twilio-go/rest/lookups/v2"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
	pricing "github.com/twilio/twilio-go/rest/pricing/v1"
	pricing2 "github.com/twilio/twilio-go/rest/pricing/v2"
	verify "github.com/twilio/twilio-go/rest/verify/v2"
	voice "github.com/twilio/twilio-go/rest/voice/v1"
)

const (
	own   = "+15005550006"
	to    = "+15551230001"
	twiml = "<Response><Say>Hello</Say></Response>"
)

var base, account, token = os.Args[1], os.Args[2], os.Args[3]

// sandbox sends what is meant for Twilio to the sandbox, with the host that it was
// meant for in Host.
type sandbox struct{ there *url.URL }

func (s sandbox) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Host = request.URL.Host
	request.URL.Scheme, request.URL.Host = s.there.Scheme, s.there.Host
	return http.DefaultTransport.RoundTrip(request)
}

func open(user, password, account string) *twilio.RestClient {
	there := must(url.Parse(base))
	by := &client.Client{
		Credentials: client.NewCredentials(user, password),
		HTTPClient:  &http.Client{Transport: sandbox{there}, Timeout: time.Minute},
	}
	by.SetAccountSid(account)
	return twilio.NewRestClientWithParams(twilio.ClientParams{Client: by})
}

func fail(format string, values ...any) {
	for depth := 2; ; depth++ {
		_, file, line, found := runtime.Caller(depth)
		if !found {
			break
		}
		if strings.HasSuffix(file, "go_alone.go") {
			fmt.Fprintf(os.Stderr, "line %d: ", line)
		}
	}
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func done(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func expect[T any](got, wanted T) {
	if !reflect.DeepEqual(got, wanted) {
		fail("got %v, wanted %v", got, wanted)
	}
}

// refused takes an answer away and looks at the error alone.
func refused[T any](status, code int, call func() (T, error)) {
	_, err := call()
	var told *client.TwilioRestError
	if !errors.As(err, &told) {
		fail("%d was expected, not %v", code, err)
	}
	expect([2]int{told.Status, told.Code}, [2]int{status, code})
	expect(told.MoreInfo, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code))
}

func until(look func() bool) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if look() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	fail("it did not come about in 30 s")
}

// control asks the sandbox itself.
func control(method, path string, document any) map[string]any {
	body := must(json.Marshal(document))
	request := must(http.NewRequest(method, base+"/sandbox/"+path, bytes.NewReader(body)))
	answer := must(http.DefaultClient.Do(request))
	defer answer.Body.Close()
	text := must(io.ReadAll(answer.Body))
	if answer.StatusCode >= 400 {
		fail("%s %s: %s", method, path, text)
	}
	var found map[string]any
	_ = json.Unmarshal(text, &found)
	return found
}

func main() {
	twilio := open(account, token, account)
	setup(twilio)
	keys(twilio)
	numbers(twilio)
	messages(twilio)
	calls(twilio)
	money(twilio)
	services(twilio)
	contents(twilio)
	permissions(twilio)
	known(twilio)
	streams(twilio)
	verifications(twilio)
	fmt.Println("go: the sandbox is a Twilio")
}

func setup(twilio *twilio.RestClient) {
	mine := must(twilio.Api.FetchAccount(account))
	expect([]string{*mine.Sid, *mine.Status, *mine.Type}, []string{account, "active", "Full"})
	below := must(twilio.Api.CreateAccount((&api.CreateAccountParams{}).SetFriendlyName("go")))
	found := must(twilio.Api.ListAccount((&api.ListAccountParams{}).SetFriendlyName("go")))
	expect(*found[0].Sid, *below.Sid)
	theirs := open(*below.Sid, *below.AuthToken, *below.Sid)
	text := must(theirs.Api.CreateMessage((&api.CreateMessageParams{}).SetTo(to).SetFrom(own).SetBody("below")))
	expect(*text.AccountSid, *below.Sid)
	from := (&api.FetchMessageParams{}).SetPathAccountSid(*below.Sid)
	expect(*must(twilio.Api.FetchMessage(*text.Sid, from)).Sid, *text.Sid)
	refused(404, 20404, func() (any, error) { return twilio.Api.FetchMessage(*text.Sid, nil) })
	second := must(theirs.AccountsV1.CreateSecondaryAuthToken())
	expect(*must(theirs.AccountsV1.UpdateAuthTokenPromotion()).AuthToken, *second.SecondaryAuthToken)
	refused(401, 20003, func() (any, error) { return theirs.Api.FetchBalance(nil) })
	theirs = open(*below.Sid, *second.SecondaryAuthToken, *below.Sid)
	must(theirs.AccountsV1.CreateSecondaryAuthToken())
	done(theirs.AccountsV1.DeleteSecondaryAuthToken())
	closing := (&api.UpdateAccountParams{}).SetStatus("closed")
	expect(*must(twilio.Api.UpdateAccount(*below.Sid, closing)).Status, "closed")
	stranger := open(account, "wrong", account)
	refused(401, 20003, func() (any, error) { return stranger.Api.ListMessage(nil) })
}

func keys(twilio *twilio.RestClient) {
	key := must(twilio.Api.CreateNewKey((&api.CreateNewKeyParams{}).SetFriendlyName("old form")))
	by := open(*key.Sid, *key.Secret, account)
	expect(*must(by.Api.FetchBalance(nil)).AccountSid, account)
	expect(*must(twilio.Api.FetchKey(*key.Sid, nil)).FriendlyName, "old form")
	renamed := (&api.UpdateKeyParams{}).SetFriendlyName("other")
	expect(*must(twilio.Api.UpdateKey(*key.Sid, renamed)).FriendlyName, "other")
	done(twilio.Api.DeleteKey(*key.Sid, nil))
	for n := 0; n < 3; n++ {
		must(twilio.IamV1.CreateNewKey((&iam.CreateNewKeyParams{}).SetAccountSid(account).SetFriendlyName("new")))
	}
	listed := must(twilio.IamV1.ListGetKeys((&iam.ListGetKeysParams{}).SetAccountSid(account).SetPageSize(2)))
	expect(len(listed), len(must(twilio.Api.ListKey(nil))))
	for _, one := range listed {
		expect(*must(twilio.IamV1.FetchKey(*one.Sid)).FriendlyName, "new")
		must(twilio.IamV1.UpdateKey(*one.Sid, (&iam.UpdateKeyParams{}).SetFriendlyName("x")))
		done(twilio.IamV1.DeleteKey(*one.Sid))
	}
}

func numbers(twilio *twilio.RestClient) {
	where := (&api.ListAvailablePhoneNumberLocalParams{}).SetAreaCode(559).SetSmsEnabled(true).SetLimit(2)
	free := must(twilio.Api.ListAvailablePhoneNumberLocal("US", where))
	expect((*free[0].PhoneNumber)[:5], "+1559")
	expect(free[0].Capabilities.Sms, true)
	countries := must(twilio.Api.ListAvailablePhoneNumberCountry(nil))
	expect(len(countries) > 10, true)
	expect(*must(twilio.Api.FetchAvailablePhoneNumberCountry("GB", nil)).Country, "United Kingdom")
	mobile := (&api.ListAvailablePhoneNumberMobileParams{}).SetLimit(1)
	expect(len(must(twilio.Api.ListAvailablePhoneNumberMobile("GB", mobile))), 1)
	buy := (&api.CreateIncomingPhoneNumberParams{}).SetPhoneNumber(*free[0].PhoneNumber)
	mine := must(twilio.Api.CreateIncomingPhoneNumber(buy.SetSmsUrl("https://example.com/sms")))
	expect([]string{*mine.PhoneNumber, *mine.SmsUrl}, []string{*free[0].PhoneNumber, "https://example.com/sms"})
	refused(400, 21422, func() (any, error) { return twilio.Api.CreateIncomingPhoneNumber(buy) })
	told := (&api.UpdateIncomingPhoneNumberParams{}).SetVoiceUrl("https://example.com/voice").SetVoiceMethod("GET")
	expect(*must(twilio.Api.UpdateIncomingPhoneNumber(*mine.Sid, told)).VoiceMethod, "GET")
	exact := (&api.ListIncomingPhoneNumberParams{}).SetPhoneNumber(*mine.PhoneNumber)
	expect(*must(twilio.Api.ListIncomingPhoneNumber(exact))[0].Sid, *mine.Sid)
	expect(*must(twilio.Api.FetchIncomingPhoneNumber(*mine.Sid, nil)).VoiceUrl, "https://example.com/voice")
	done(twilio.Api.DeleteIncomingPhoneNumber(*mine.Sid, nil))
	toll := must(twilio.Api.ListAvailablePhoneNumberTollFree("US", (&api.ListAvailablePhoneNumberTollFreeParams{}).SetLimit(1)))
	order := (&api.CreateIncomingPhoneNumberTollFreeParams{}).SetPhoneNumber(*toll[0].PhoneNumber)
	free800 := must(twilio.Api.CreateIncomingPhoneNumberTollFree(order))
	expect(*must(twilio.Api.ListIncomingPhoneNumberTollFree(nil))[0].Sid, *free800.Sid)
	done(twilio.Api.DeleteIncomingPhoneNumber(*free800.Sid, nil))

	const theirs = "+14155560123"
	asked := must(twilio.Api.CreateValidationRequest((&api.CreateValidationRequestParams{}).SetPhoneNumber(theirs)))
	expect(len(*asked.ValidationCode), 6)
	control("POST", "numbers/"+theirs+"/validate", map[string]any{})
	callers := must(twilio.Api.ListOutgoingCallerId((&api.ListOutgoingCallerIdParams{}).SetPhoneNumber(theirs)))
	caller := *callers[0].Sid
	named := (&api.UpdateOutgoingCallerIdParams{}).SetFriendlyName("go")
	expect(*must(twilio.Api.UpdateOutgoingCallerId(caller, named)).FriendlyName, "go")
	expect(*must(twilio.Api.FetchOutgoingCallerId(caller, nil)).PhoneNumber, theirs)
	done(twilio.Api.DeleteOutgoingCallerId(caller, nil))

	control("PUT", "numbers/12345", map[string]any{})
	codes := must(twilio.Api.ListShortCode(nil))
	expect(*codes[0].ShortCode, "12345")
	called := (&api.UpdateShortCodeParams{}).SetFriendlyName("short")
	expect(*must(twilio.Api.UpdateShortCode(*codes[0].Sid, called)).FriendlyName, "short")
	expect(*must(twilio.Api.FetchShortCode(*codes[0].Sid, nil)).FriendlyName, "short")
}

func messages(twilio *twilio.RestClient) {
	write := func(to, body string) *api.ApiV2010Message {
		return must(twilio.Api.CreateMessage((&api.CreateMessageParams{}).SetTo(to).SetFrom(own).SetBody(body)))
	}
	text := write(to, "It's 0421 & more, naïvely")
	expect([]string{*text.Status, *text.Direction, *text.NumSegments}, []string{"queued", "outbound-api", "1"})
	expect([]bool{text.ErrorCode == nil, text.DateSent == nil, text.Price == nil}, []bool{true, true, true})
	until(func() bool { return *must(twilio.Api.FetchMessage(*text.Sid, nil)).Status == "delivered" })
	expect(*must(twilio.Api.FetchMessage(*text.Sid, nil)).Body, "It's 0421 & more, naïvely")
	feedback := (&api.CreateMessageFeedbackParams{}).SetOutcome("confirmed")
	expect(*must(twilio.Api.CreateMessageFeedback(*text.Sid, feedback)).Outcome, "confirmed")
	expect(*must(twilio.Api.UpdateMessage(*text.Sid, (&api.UpdateMessageParams{}).SetBody(""))).Body, "")
	done(twilio.Api.DeleteMessage(*text.Sid, nil))
	refused(404, 20404, func() (any, error) { return twilio.Api.FetchMessage(*text.Sid, nil) })
	refused(400, 21211, func() (any, error) {
		return twilio.Api.CreateMessage((&api.CreateMessageParams{}).SetTo("me").SetFrom(own).SetBody("x"))
	})

	const other = "+15551230002"
	sids := []string{}
	for n := 0; n < 7; n++ {
		sids = append([]string{*write(other, fmt.Sprint("number ", n)).Sid}, sids...)
	}
	list := func(how *api.ListMessageParams) []string {
		found := []string{}
		for _, one := range must(twilio.Api.ListMessage(how.SetTo(other))) {
			found = append(found, *one.Sid)
		}
		return found
	}
	expect(list((&api.ListMessageParams{}).SetPageSize(3)), sids)
	expect(list((&api.ListMessageParams{}).SetLimit(2)), sids[:2])
	expect(list((&api.ListMessageParams{}).SetDateSent(time.Now().AddDate(-1, 0, 0))), []string{})
	until(func() bool { return *must(twilio.Api.FetchMessage(sids[0], nil)).Status == "delivered" })
	expect(list((&api.ListMessageParams{}).SetDateSentAfter(time.Now().AddDate(0, 0, -1)).SetLimit(1)), sids[:1])

	picture := "https://example.com/owl.png"
	order := (&api.CreateMessageParams{}).SetTo(to).SetFrom(own).SetBody("").SetMediaUrl([]string{picture})
	expect((*must(twilio.Api.CreateMessage(order)).Sid)[:2], "MM")
	media := []any{map[string]any{"content_type": "image/png", "base64": "cGljdHVyZQ=="}}
	control("POST", "phones/"+other+"/messages", map[string]any{"to": own, "media": media})
	inbound := must(twilio.Api.ListMessage((&api.ListMessageParams{}).SetFrom(other)))[0]
	expect([]string{*inbound.Direction, *inbound.NumMedia}, []string{"inbound", "1"})
	parts := must(twilio.Api.ListMedia(*inbound.Sid, nil))
	expect(*must(twilio.Api.FetchMedia(*inbound.Sid, *parts[0].Sid, nil)).ContentType, "image/png")
	sound := must(http.Get(base + strings.TrimSuffix(*parts[0].Uri, ".json")))
	expect(string(must(io.ReadAll(sound.Body))), "picture")
	done(twilio.Api.DeleteMedia(*inbound.Sid, *parts[0].Sid, nil))
}

func calls(twilio *twilio.RestClient) {
	control("PUT", "phones/"+to, map[string]any{"answer_after_ms": 0})
	dial := (&api.CreateCallParams{}).SetTo(to).SetFrom(own).SetTwiml("<Response><Say>Hello</Say><Message>no</Message></Response>")
	call := must(twilio.Api.CreateCall(dial.SetRecord(true).SetStatusCallbackEvent([]string{"initiated", "completed"})))
	expect(*call.Status, "queued")
	until(func() bool { return *must(twilio.Api.FetchCall(*call.Sid, nil)).Status == "completed" })
	expect(must(twilio.Api.FetchCall(*call.Sid, nil)).Duration != nil, true)
	expect(*must(twilio.Api.ListCall((&api.ListCallParams{}).SetStatus("completed").SetTo(to)))[0].Sid, *call.Sid)
	until(func() bool { return len(must(twilio.Api.ListCallRecording(*call.Sid, nil))) == 1 })
	recording := must(twilio.Api.ListRecording((&api.ListRecordingParams{}).SetCallSid(*call.Sid)))[0]
	until(func() bool { return *must(twilio.Api.FetchRecording(*recording.Sid, nil)).Status == "completed" })
	expect(*must(twilio.Api.FetchCallRecording(*call.Sid, *recording.Sid, nil)).CallSid, *call.Sid)
	path := fmt.Sprintf("%s/2010-04-01/Accounts/%s/Recordings/%s.wav", base, account, *recording.Sid)
	expect(must(http.Get(path)).Header.Get("Content-Type"), "audio/x-wav")
	done(twilio.Api.DeleteRecording(*recording.Sid, nil))
	told := must(twilio.Api.ListCallNotification(*call.Sid, nil))[0]
	expect(*told.ErrorCode, *must(twilio.Api.FetchCallNotification(*call.Sid, *told.Sid, nil)).ErrorCode)
	expect(len(must(twilio.Api.ListNotification((&api.ListNotificationParams{}).SetLog(1)))) > 0, true)
	expect(*must(twilio.Api.FetchNotification(*told.Sid, nil)).CallSid, *call.Sid)
	must(twilio.Api.ListCallEvent(*call.Sid, nil))
	done(twilio.Api.DeleteCall(*call.Sid, nil))

	control("PUT", "phones/"+to, map[string]any{"answers": "nobody"})
	rings := must(twilio.Api.CreateCall((&api.CreateCallParams{}).SetTo(to).SetFrom(own).SetTwiml(twiml)))
	until(func() bool { return *must(twilio.Api.FetchCall(*rings.Sid, nil)).Status == "ringing" })
	ended := (&api.UpdateCallParams{}).SetStatus("canceled")
	expect(*must(twilio.Api.UpdateCall(*rings.Sid, ended)).Status, "canceled")
	refused(400, 21205, func() (any, error) {
		return twilio.Api.CreateCall((&api.CreateCallParams{}).SetTo(to).SetFrom(own))
	})
}

func money(twilio *twilio.RestClient) {
	control("POST", "clock", map[string]any{"advance_seconds": 5})
	balance := must(twilio.Api.FetchBalance(nil))
	expect([]string{*balance.AccountSid, *balance.Currency}, []string{account, "USD"})
	records := must(twilio.Api.ListUsageRecord((&api.ListUsageRecordParams{}).SetCategory("sms-outbound")))
	expect(*records[0].CountUnit, "messages")
	expect(*records[0].Price > 0, true)
	today := must(twilio.Api.ListUsageRecordToday((&api.ListUsageRecordTodayParams{}).SetCategory("totalprice")))
	expect(*today[0].Category, "totalprice")
	for _, period := range []int{
		len(must(twilio.Api.ListUsageRecordAllTime(nil))), len(must(twilio.Api.ListUsageRecordDaily(nil))),
		len(must(twilio.Api.ListUsageRecordLastMonth(nil))), len(must(twilio.Api.ListUsageRecordMonthly(nil))),
		len(must(twilio.Api.ListUsageRecordThisMonth(nil))), len(must(twilio.Api.ListUsageRecordYearly(nil))),
		len(must(twilio.Api.ListUsageRecordYesterday(nil))),
	} {
		expect(period > 0, true)
	}
}

func services(twilio *twilio.RestClient) {
	service := *must(twilio.MessagingV1.CreateService((&messaging.CreateServiceParams{}).SetFriendlyName("go"))).Sid
	name := must(twilio.MessagingV1.CreateAlphaSender(service, (&messaging.CreateAlphaSenderParams{}).SetAlphaSender("Dialback")))
	mine := must(twilio.Api.ListIncomingPhoneNumber((&api.ListIncomingPhoneNumberParams{}).SetPhoneNumber(own)))
	number := must(twilio.MessagingV1.CreatePhoneNumber(service, (&messaging.CreatePhoneNumberParams{}).SetPhoneNumberSid(*mine[0].Sid)))
	expect([]string{*number.PhoneNumber, *number.CountryCode}, []string{own, "US"})
	expect(*must(twilio.MessagingV1.FetchPhoneNumber(service, *number.Sid)).Sid, *number.Sid)
	order := (&api.CreateMessageParams{}).SetTo("+447700900123").SetMessagingServiceSid(service).SetBody("hello")
	text := must(twilio.Api.CreateMessage(order))
	expect(*text.Status, "accepted")
	until(func() bool { return *must(twilio.Api.FetchMessage(*text.Sid, nil)).Status == "delivered" })
	expect(*must(twilio.Api.FetchMessage(*text.Sid, nil)).From, "Dialback")
	expect(*must(twilio.MessagingV1.ListAlphaSender(service, nil))[0].Sid, *name.Sid)
	expect(len(must(twilio.MessagingV1.ListPhoneNumber(service, nil))), 1)
	expect(len(must(twilio.MessagingV1.ListShortCode(service, nil))), 0)
	expect(len(must(twilio.MessagingV1.ListChannelSender(service, nil))), 0)
	expect(len(must(twilio.MessagingV1.ListDestinationAlphaSender(service, nil))), 0)
	done(twilio.MessagingV1.DeleteAlphaSender(service, *name.Sid))
	done(twilio.MessagingV1.DeletePhoneNumber(service, *number.Sid))
	inbound := (&messaging.UpdateServiceParams{}).SetInboundRequestUrl("https://example.com/in").SetUseInboundWebhookOnNumber(false)
	expect(*must(twilio.MessagingV1.UpdateService(service, inbound)).InboundRequestUrl, "https://example.com/in")
	must(twilio.MessagingV1.FetchUsecase())
	expect(len(must(twilio.MessagingV1.ListService(nil))) > 0, true)
	done(twilio.MessagingV1.DeleteService(service))
	refused(404, 20404, func() (any, error) { return twilio.MessagingV1.FetchService(service) })
}

func contents(twilio *twilio.RestClient) {
	wanted := content.ContentCreateRequest{
		FriendlyName: "go",
		Language:     "en",
		Variables:    map[string]string{"1": "000000"},
		Types:        content.Types{TwilioText: &content.TwilioText{Body: "{{1}} is your code"}},
	}
	made := must(twilio.ContentV1.CreateContent((&content.CreateContentParams{}).SetContentCreateRequest(wanted)))
	ask := content.ContentApprovalRequest{Name: "go", Category: "AUTHENTICATION"}
	sent := must(twilio.ContentV1.CreateApprovalCreate(*made.Sid, (&content.CreateApprovalCreateParams{}).SetContentApprovalRequest(ask)))
	expect(*sent.Status, "received")
	until(func() bool { return (*must(twilio.ContentV1.FetchApprovalFetch(*made.Sid)).Whatsapp)["status"] == "approved" })
	order := (&api.CreateMessageParams{}).SetTo(to).SetFrom(own).SetContentSid(*made.Sid).SetContentVariables(`{"1":"0421"}`)
	expect(*must(twilio.Api.CreateMessage(order)).Body, "0421 is your code")
	expect(*must(twilio.ContentV1.FetchContent(*made.Sid)).Language, "en")
	expect(len(must(twilio.ContentV1.ListContent(nil))) > 0, true)
	expect(len(must(twilio.ContentV1.ListContentAndApprovals(nil))) > 0, true)
	done(twilio.ContentV1.DeleteContent(*made.Sid))
}

func permissions(twilio *twilio.RestClient) {
	const latvian = "+37121234567"
	safe := must(twilio.AccountsV1.CreateSafelist((&accounts.CreateSafelistParams{}).SetPhoneNumber(latvian)))
	expect(*must(twilio.AccountsV1.FetchSafelist((&accounts.FetchSafelistParams{}).SetPhoneNumber(latvian))).Sid, *safe.Sid)
	done(twilio.AccountsV1.DeleteSafelist((&accounts.DeleteSafelistParams{}).SetPhoneNumber(latvian)))
	where := (&accounts.FetchMessagingGeopermissionsParams{}).SetCountryCode("LV")
	expect(must(twilio.AccountsV1.FetchMessagingGeopermissions(where)).Permissions != nil, true)
	off := map[string]any{"country_code": "LV", "type": "country", "enabled": false}
	must(twilio.AccountsV1.PatchMessagingGeopermissions((&accounts.PatchMessagingGeopermissionsParams{}).SetPermissions([]interface{}{off})))
	refused(400, 21408, func() (any, error) {
		return twilio.Api.CreateMessage((&api.CreateMessageParams{}).SetTo(latvian).SetFrom(own).SetBody("x"))
	})
	low := `[{"iso_code":"LV","low_risk_numbers_enabled":"false"}]`
	bulk := (&voice.CreateDialingPermissionsCountryBulkUpdateParams{}).SetUpdateRequest(low)
	expect(must(twilio.VoiceV1.CreateDialingPermissionsCountryBulkUpdate(bulk)).UpdateCount, 1)
	expect(*must(twilio.VoiceV1.FetchDialingPermissionsCountry("LV")).LowRiskNumbersEnabled, false)
	europe := (&voice.ListDialingPermissionsCountryParams{}).SetContinent("EUROPE")
	expect(len(must(twilio.VoiceV1.ListDialingPermissionsCountry(europe))) > 10, true)
	expect(len(must(twilio.VoiceV1.ListDialingPermissionsHrsPrefixes("LV", nil))), 2)
	expect(*must(twilio.VoiceV1.FetchDialingPermissionsSettings()).DialingPermissionsInheritance, false)
}

func known(twilio *twilio.RestClient) {
	all := "line_type_intelligence,sim_swap,caller_name,call_forwarding,line_status,identity_match,reassigned_number,sms_pumping_risk"
	found := must(twilio.LookupsV2.FetchPhoneNumber("+14159929960", (&lookups.FetchPhoneNumberParams{}).SetFields(all)))
	expect(found.Valid, true)
	expect(found.LineTypeIntelligence.Type, "mobile")
	expect(must(twilio.LookupsV2.FetchPhoneNumber("+1415", nil)).Valid, false)
	batch := lookups.LookupRequest{PhoneNumbers: []lookups.LookupBatchRequest{
		{CorrelationId: "a", PhoneNumber: "+14159929960", Fields: []string{"line_type_intelligence"}},
	}}
	many := must(twilio.LookupsV2.CreateBulkLookup((&lookups.CreateBulkLookupParams{}).SetLookupRequest(batch)))
	expect(len(many.PhoneNumbers), 1)
	older := (&lookups1.FetchPhoneNumberParams{}).SetType([]string{"carrier"})
	expect(*must(twilio.LookupsV1.FetchPhoneNumber("+14159929960", older)).CountryCode, "US")
	expect(*must(twilio.PricingV1.FetchMessagingCountry("DE")).Country, "Germany")
	expect(*must(twilio.PricingV1.FetchPhoneNumberCountry("DE")).PriceUnit, "USD")
	expect(*must(twilio.PricingV1.FetchVoiceCountry("DE")).IsoCountry, "DE")
	expect(*must(twilio.PricingV1.FetchVoiceNumber("+14159929960")).IsoCountry, "US")
	expect(*must(twilio.PricingV2.FetchVoiceCountry("DE")).Country, "Germany")
	expect(*must(twilio.PricingV2.FetchVoiceNumber("+14159929960", (&pricing2.FetchVoiceNumberParams{}).SetOriginationNumber(own))).IsoCountry, "US")
	expect(len(must(twilio.PricingV1.ListMessagingCountry((&pricing.ListMessagingCountryParams{}).SetPageSize(20).SetLimit(60)))) > 50, true)
	expect(len(must(twilio.PricingV1.ListVoiceCountry(nil))) > 50, true)
	expect(len(must(twilio.PricingV1.ListPhoneNumberCountry(nil))) > 10, true)
}

func streams(twilio *twilio.RestClient) {
	var there any = map[string]any{"destination": "http://127.0.0.1:9/", "method": "POST", "batch_events": false}
	order := (&events.CreateSinkParams{}).SetDescription("go").SetSinkType("webhook").SetSinkConfiguration(there)
	sink := *must(twilio.EventsV1.CreateSink(order)).Sid
	expect(*must(twilio.EventsV1.FetchSink(sink)).Status, "initialized")
	expect(*must(twilio.EventsV1.UpdateSink(sink, (&events.UpdateSinkParams{}).SetDescription("x"))).Description, "x")
	must(twilio.EventsV1.CreateSinkTest(sink))
	expect(len(must(twilio.EventsV1.ListSink(nil))), 1)
	const sent, delivered = "com.twilio.messaging.message.sent", "com.twilio.messaging.message.delivered"
	kinds := []interface{}{map[string]any{"type": sent, "schema_version": 1}}
	wanted := (&events.CreateSubscriptionParams{}).SetDescription("go").SetSinkSid(sink).SetTypes(kinds)
	subscription := *must(twilio.EventsV1.CreateSubscription(wanted)).Sid
	must(twilio.EventsV1.CreateSubscribedEvent(subscription, (&events.CreateSubscribedEventParams{}).SetType(delivered).SetSchemaVersion(1)))
	expect(len(must(twilio.EventsV1.ListSubscribedEvent(subscription, nil))), 2)
	expect(*must(twilio.EventsV1.FetchSubscribedEvent(subscription, sent)).Type, sent)
	must(twilio.EventsV1.UpdateSubscribedEvent(subscription, sent, (&events.UpdateSubscribedEventParams{}).SetSchemaVersion(2)))
	done(twilio.EventsV1.DeleteSubscribedEvent(subscription, sent))
	must(twilio.EventsV1.UpdateSubscription(subscription, (&events.UpdateSubscriptionParams{}).SetDescription("x")))
	expect(*must(twilio.EventsV1.FetchSubscription(subscription)).SinkSid, sink)
	expect(len(must(twilio.EventsV1.ListSubscription(nil))), 1)
	expect(*must(twilio.EventsV1.FetchEventType(sent)).Type, sent)
	expect(len(must(twilio.EventsV1.ListEventType(nil))) > 2, true)
	done(twilio.EventsV1.DeleteSubscription(subscription))
	done(twilio.EventsV1.DeleteSink(sink))
}

func verifications(twilio *twilio.RestClient) {
	const phone = "+15551230003"
	service := *must(twilio.VerifyV2.CreateService((&verify.CreateServiceParams{}).SetFriendlyName("Acme").SetCodeLength(5))).Sid
	begun := must(twilio.VerifyV2.CreateVerification(service, (&verify.CreateVerificationParams{}).SetTo(phone).SetChannel("sms")))
	expect([]string{*begun.Status, *begun.Channel}, []string{"pending", "sms"})
	query := url.Values{"to": {phone}, "body~": {"Acme"}, "within": {"60"}}
	code := control("GET", "expect?"+query.Encode(), nil)["code"].(string)
	expect(regexp.MustCompile(`^\d{5}$`).MatchString(code), true)
	check := func(code string) string {
		by := (&verify.CreateVerificationCheckParams{}).SetTo(phone).SetCode(code)
		return *must(twilio.VerifyV2.CreateVerificationCheck(service, by)).Status
	}
	wrong := map[bool]string{true: "00001", false: "00000"}[code == "00000"]
	expect(check(wrong), "pending")
	expect(*must(twilio.VerifyV2.FetchVerification(service, phone)).Sid, *begun.Sid)
	expect(check(code), "approved")
	second := must(twilio.VerifyV2.CreateVerification(service, (&verify.CreateVerificationParams{}).SetTo(phone).SetChannel("sms")))
	ended := (&verify.UpdateVerificationParams{}).SetStatus("canceled")
	expect(*must(twilio.VerifyV2.UpdateVerification(service, *second.Sid, ended)).Status, "canceled")
	refused(404, 20404, func() (any, error) { return twilio.VerifyV2.FetchVerification(service, phone) })
	limit := *must(twilio.VerifyV2.CreateRateLimit(service, (&verify.CreateRateLimitParams{}).SetUniqueName("ip"))).Sid
	bucket := must(twilio.VerifyV2.CreateBucket(service, limit, (&verify.CreateBucketParams{}).SetMax(4).SetInterval(60)))
	expect([]int{bucket.Max, bucket.Interval}, []int{4, 60})
	expect(len(must(twilio.VerifyV2.ListBucket(service, limit, nil))), 1)
	done(twilio.VerifyV2.DeleteRateLimit(service, limit))
	attempts := must(twilio.VerifyV2.ListVerificationAttempt((&verify.ListVerificationAttemptParams{}).SetVerifyServiceSid(service)))
	expect(len(attempts) > 0, true)
	must(twilio.VerifyV2.FetchVerificationAttempt(*attempts[0].Sid))
	must(twilio.VerifyV2.FetchVerificationAttemptsSummary((&verify.FetchVerificationAttemptsSummaryParams{}).SetVerifyServiceSid(service)))
	expect(len(must(twilio.VerifyV2.ListVerificationTemplate(nil))) > 0, true)
	hook := (&verify.CreateWebhookParams{}).SetFriendlyName("Events").SetEventTypes([]string{"*"}).SetWebhookUrl("https://owl.example.com/events")
	made := must(twilio.VerifyV2.CreateWebhook(service, hook))
	done(twilio.VerifyV2.DeleteWebhook(service, *made.Sid))
	expect(*must(twilio.VerifyV2.ListService(nil))[0].Sid, service)
	done(twilio.VerifyV2.DeleteService(service))
	refused(404, 20404, func() (any, error) { return twilio.VerifyV2.FetchService(service) })
}
