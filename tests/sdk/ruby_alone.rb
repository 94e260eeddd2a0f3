# Drives `dialback sandbox` with Twilio's own Ruby library, unmodified: everything that
# it plays, and Verify beside it.
#
#     ruby ruby_alone.rb BASE_URL ACCOUNT_SID AUTH_TOKEN
#
# Exit code 0 when everything is as Twilio would have it.

require 'faraday'
require 'json'
require 'net/http'
require 'twilio-ruby'

BASE, ACCOUNT, TOKEN = ARGV
OWN = '+15005550006'.freeze
TO = '+15551230001'.freeze
TWIML = '<Response><Say>Hello</Say></Response>'.freeze

# What is meant for Twilio goes to the sandbox, with the host that it was meant for.
class ToTheSandbox < Faraday::Middleware
  def call(env)
    env[:request_headers]['Host'] = env[:url].host
    env[:url] = URI(BASE + env[:url].request_uri)
    @app.call(env)
  end
end

def open_as(user, password, account = nil)
  http = Twilio::HTTP::Client.new
  http.configure_connection { |connection| connection.use ToTheSandbox }
  Twilio::REST::Client.new(user, password, account, nil, http)
end

def expect(what, got, wanted)
  abort "#{what}: got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

def refused(status, code)
  yield
  abort "#{code} was expected and nothing was refused"
rescue Twilio::REST::RestError => e
  expect("refusal by #{code}", [e.status_code, e.code], [status, code])
  expect('more', e.more_info, "https://www.twilio.com/docs/errors/#{code}")
end

def until_it_is(what)
  1500.times do
    return if yield
    sleep 0.02
  end
  abort "#{what} did not come about in 30 s"
end

def control(method, path, document = nil)
  there = URI("#{BASE}/sandbox/#{path}")
  request = Net::HTTP.const_get(method).new(there)
  request.body = document.to_json if document
  answer = Net::HTTP.start(there.host, there.port) { |http| http.request(request) }
  abort "#{path}: #{answer.body}" if answer.code.to_i >= 400
  answer.body.to_s.empty? ? nil : JSON.parse(answer.body)
end

client = open_as(ACCOUNT, TOKEN)

# Accounts, tokens and keys.
mine = client.api.accounts(ACCOUNT).fetch
expect('account', [mine.sid, mine.status, mine.type], [ACCOUNT, 'active', 'Full'])
below = client.api.accounts.create(friendly_name: 'ruby')
expect('found by name', client.api.accounts.list(friendly_name: 'ruby').map(&:sid), [below.sid])
theirs = open_as(below.sid, below.auth_token)
text = theirs.messages.create(to: TO, from: OWN, body: 'below')
expect('its account', text.account_sid, below.sid)
expect('from above', client.api.accounts(below.sid).messages(text.sid).fetch.sid, text.sid)
expect('by a third parameter', open_as(ACCOUNT, TOKEN, below.sid).messages.list.map(&:sid), [text.sid])
refused(404, 20404) { client.messages(text.sid).fetch }
second = theirs.accounts.v1.secondary_auth_token.create
expect('promoted', theirs.accounts.v1.auth_token_promotion.update.auth_token, second.secondary_auth_token)
refused(401, 20003) { theirs.messages.list }
expect('closed', client.api.accounts(below.sid).update(status: 'closed').status, 'closed')
refused(401, 20003) { open_as(ACCOUNT, 'wrong').messages.list }
key = client.api.v2010.account.new_keys.create(friendly_name: 'old form')
expect('a key opens', open_as(key.sid, key.secret, ACCOUNT).api.accounts(ACCOUNT).fetch.sid, ACCOUNT)
expect('key', client.keys(key.sid).fetch.friendly_name, 'old form')
expect('renamed', client.keys(key.sid).update(friendly_name: 'x').friendly_name, 'x')
expect('key away', client.keys(key.sid).delete, true)
3.times { client.iam.v1.new_api_key.create(account_sid: ACCOUNT, friendly_name: 'new form') }
listed = client.iam.v1.get_api_keys.list(account_sid: ACCOUNT, page_size: 2)
expect('keys by pages', listed.size, client.keys.list.size)
listed.each { |one| expect('key away', client.iam.v1.api_key(one.sid).delete, true) }

# Numbers: found, bought, told where to go, released; caller ids and short codes.
free = client.available_phone_numbers('US').local.list(area_code: 559, sms_enabled: true, limit: 2)
expect('free', free.map { |one| one.phone_number[0, 5] }, ['+1559', '+1559'])
expect('countries', client.available_phone_numbers.list.map(&:country_code).include?('GB'), true)
expect('one country', client.available_phone_numbers('GB').fetch.country, 'United Kingdom')
expect('mobile', client.available_phone_numbers('GB').mobile.list(limit: 1).size, 1)
bought = client.incoming_phone_numbers.create(phone_number: free[0].phone_number, sms_url: 'https://example.com/sms')
expect('bought', [bought.phone_number, bought.capabilities['sms']], [free[0].phone_number, true])
refused(400, 21422) { client.incoming_phone_numbers.create(phone_number: bought.phone_number) }
told = client.incoming_phone_numbers(bought.sid).update(voice_url: 'https://example.com/voice', voice_method: 'GET')
expect('told', [told.voice_url, told.voice_method, told.sms_url],
       ['https://example.com/voice', 'GET', 'https://example.com/sms'])
expect('found', client.incoming_phone_numbers.list(phone_number: bought.phone_number).map(&:sid), [bought.sid])
expect('released', client.incoming_phone_numbers(bought.sid).delete, true)
refused(404, 20404) { client.incoming_phone_numbers(bought.sid).fetch }
toll = client.available_phone_numbers('US').toll_free.list(limit: 1)[0].phone_number
expect('toll-free', client.incoming_phone_numbers.toll_free.create(phone_number: toll).phone_number, toll)
foreign = '+14155560123'
expect('validation', client.api.v2010.account.validation_requests.create(phone_number: foreign).validation_code.size, 6)
control(:Post, "numbers/#{foreign}/validate")
caller_id = client.outgoing_caller_ids.list(phone_number: foreign)[0]
expect('named', client.outgoing_caller_ids(caller_id.sid).update(friendly_name: 'ruby').friendly_name, 'ruby')
expect('caller id away', client.outgoing_caller_ids(caller_id.sid).delete, true)
control(:Put, 'numbers/12345', {})
code = client.short_codes.list[0]
expect('short code', client.short_codes(code.sid).update(friendly_name: 'ruby').short_code, '12345')

# Messages: created, followed, redacted, deleted; pages, filters and media.
message = client.messages.create(to: TO, from: OWN, body: "It's 0421 & more, naïvely")
expect('created', [message.status, message.direction, message.num_segments], %w[queued outbound-api 1])
expect('nothing yet', [message.error_code, message.date_sent, message.price], [nil, nil, nil])
expect('recent', (Time.now - message.date_created.to_time).abs < 60, true)
until_it_is('delivery') { client.messages(message.sid).fetch.status == 'delivered' }
expect('body', client.messages(message.sid).fetch.body, "It's 0421 & more, naïvely")
expect('feedback', client.messages(message.sid).feedback.create(outcome: 'confirmed').outcome, 'confirmed')
expect('redacted', client.messages(message.sid).update(body: '').body, '')
expect('deleted', client.messages(message.sid).delete, true)
refused(404, 20404) { client.messages(message.sid).fetch }
refused(400, 21211) { client.messages.create(to: 'me', from: OWN, body: 'x') }
refused(400, 21602) { client.messages.create(to: TO, from: OWN) }
other = '+15551230002'
sids = Array.new(7) { |n| client.messages.create(to: other, from: OWN, body: "number #{n}").sid }.reverse
expect('list', client.messages.list(to: other, page_size: 3).map(&:sid), sids)
expect('limit', client.messages.list(to: other, limit: 2).map(&:sid), sids.first(2))
expect('stream', client.messages.stream(to: other, page_size: 2).map(&:sid), sids)
page = client.messages.page(to: other, page_size: 3)
expect('page', page.next_page.map(&:sid), sids[3, 3])
expect('page back', page.next_page.previous_page.map(&:sid), sids[0, 3])
until_it_is('its delivery') { client.messages(sids[0]).fetch.status == 'delivered' }
expect('after', client.messages.list(to: other, date_sent_after: Time.now - 86_400).size.positive?, true)
expect('before', client.messages.list(to: other, date_sent_before: Time.now - 86_400), [])
expect('none', client.messages.list(to: other, date_sent: Date.new(2020, 1, 1)), [])
picture = client.messages.create(to: TO, from: OWN, media_url: ['https://example.com/owl.png'])
expect('MMS', picture.sid[0, 2], 'MM')
media = [{ content_type: 'image/png', base64: 'cGljdHVyZQ==' }]
control(:Post, "phones/#{other}/messages", { to: OWN, media: media })
inbound = client.messages.list(from: other)[0]
expect('inbound', [inbound.direction, inbound.num_media], %w[inbound 1])
part = client.messages(inbound.sid).media.list[0]
expect('media', client.messages(inbound.sid).media(part.sid).fetch.content_type, 'image/png')
expect('bytes', Net::HTTP.get(URI(BASE + part.uri.delete_suffix('.json'))), 'picture')
expect('media away', client.messages(inbound.sid).media(part.sid).delete, true)
template = { to: "whatsapp:#{TO}", from: "whatsapp:#{OWN}", content_variables: '{"1": "0421"}' }
chat = client.messages.create(**template, content_sid: 'HX6469616c6261636b2073616e64626f78')
expect('WhatsApp', [chat.status, chat.to], ['queued', "whatsapp:#{TO}"])

# Calls with what belongs to them.
control(:Put, "phones/#{TO}", { answer_after_ms: 0 })
twiml = '<Response><Say>Hello</Say><Message>no</Message></Response>'
events = %w[initiated ringing answered completed]
call = client.calls.create(to: TO, from: OWN, twiml: twiml, record: true, status_callback_event: events)
expect('call', call.status, 'queued')
until_it_is('its end') { client.calls(call.sid).fetch.status == 'completed' }
expect('listed', client.calls.list(status: 'completed', to: TO).map(&:sid), [call.sid])
expect('started', client.calls.list(start_time_after: Time.now - 86_400).map(&:sid).include?(call.sid), true)
until_it_is('a recording') { client.calls(call.sid).recordings.list.size == 1 }
recording = client.recordings.list(call_sid: call.sid)[0]
until_it_is('its sound') { client.recordings(recording.sid).fetch.status == 'completed' }
sound = Net::HTTP.get_response(URI("#{BASE}/2010-04-01/Accounts/#{ACCOUNT}/Recordings/#{recording.sid}.wav"))
expect('sound', sound['content-type'], 'audio/x-wav')
expect('recording away', client.recordings(recording.sid).delete, true)
notice = client.calls(call.sid).notifications.list[0]
expect('notification', client.notifications(notice.sid).fetch.call_sid, call.sid)
expect('of the call', client.calls(call.sid).notifications(notice.sid).fetch.error_code, notice.error_code)
expect('notifications', client.notifications.list(log: 1).map(&:sid).include?(notice.sid), true)
expect('events', client.calls(call.sid).events.list, [])
expect('call away', client.calls(call.sid).delete, true)
control(:Put, "phones/#{TO}", { answers: 'nobody' })
rings = client.calls.create(to: TO, from: OWN, twiml: TWIML)
until_it_is('ringing') { client.calls(rings.sid).fetch.status == 'ringing' }
expect('canceled', client.calls(rings.sid).update(status: 'canceled').status, 'canceled')
refused(400, 21205) { client.calls.create(to: TO, from: OWN) }

# Money.
control(:Post, 'clock', { advance_seconds: 5 })
expect('currency', client.api.v2010.account.balance.fetch.currency, 'USD')
expect('usage', client.api.v2010.account.usage.records.list(category: 'sms-outbound')[0].count_unit, 'messages')
%i[all_time daily last_month monthly this_month today yearly yesterday].each do |period|
  found = client.api.v2010.account.usage.records.send(period).list(category: 'totalprice')
  expect(period, found[0].category, 'totalprice')
end

# A service and its pool.
service = client.messaging.v1.services.create(friendly_name: 'ruby', sticky_sender: true)
pool = client.messaging.v1.services(service.sid)
name = pool.alpha_senders.create(alpha_sender: 'Dialback')
number = pool.phone_numbers.create(phone_number_sid: client.incoming_phone_numbers.list(phone_number: OWN)[0].sid)
expect('number', [number.phone_number, number.country_code], [OWN, 'US'])
text = client.messages.create(to: '+447700900123', messaging_service_sid: service.sid, body: 'hello')
until_it_is('delivery') { client.messages(text.sid).fetch.status == 'delivered' }
expect('a name writes', client.messages(text.sid).fetch.from, 'Dialback')
expect('pool', pool.alpha_senders.list.map(&:sid), [name.sid])
expect('none', [pool.short_codes.list, pool.channel_senders.list, pool.destination_alpha_senders.list], [[], [], []])
expect('away', pool.alpha_senders(name.sid).delete, true)
expect('usecases', client.messaging.v1.usecases.fetch.usecases.size.positive?, true)
expect('listed', client.messaging.v1.services.list.map(&:sid).include?(service.sid), true)
expect('renamed', pool.update(friendly_name: 'other').friendly_name, 'other')
expect('deleted', pool.delete, true)

# A content, its approval, and a message of it.
wanted = { friendly_name: 'ruby', language: 'en', variables: { '1' => '000000' },
           types: { 'twilio/text' => { 'body' => '{{1}} is your code' } } }
made = client.content.v1.contents.create(content_create_request: wanted)
expect('content', [made.language, made.types], ['en', wanted[:types]])
request = { name: 'ruby', category: 'AUTHENTICATION' }
sent = client.content.v1.contents(made.sid).approval_create.create(content_approval_request: request)
expect('submitted', sent.status, 'received')
found = client.content.v1.contents(made.sid).approval_fetch.fetch
expect('approved', found.whatsapp['status'], 'approved')
text = client.messages.create(to: TO, from: OWN, content_sid: made.sid, content_variables: '{"1":"0421"}')
expect('words', text.body, '0421 is your code')
expect('contents', client.content.v1.contents.list.map(&:sid).include?(made.sid), true)
expect('both', client.content.v1.content_and_approvals.list.map(&:sid).include?(made.sid), true)
expect('content away', client.content.v1.contents(made.sid).delete, true)

# Where it may write to and call.
latvian = '+37121234567'
safe = client.accounts.v1.safelist.create(phone_number: latvian)
expect('safe', client.accounts.v1.safelist.fetch(phone_number: latvian).sid, safe.sid)
expect('safe away', client.accounts.v1.safelist.delete(phone_number: latvian), true)
expect('countries', client.accounts.v1.messaging_geopermissions.fetch(country_code: 'LV').permissions.size, 1)
off = [{ country_code: 'LV', type: 'country', enabled: false }]
client.accounts.v1.messaging_geopermissions.update(permissions: off)
refused(400, 21408) { client.messages.create(to: latvian, from: OWN, body: 'x') }
dialing = client.voice.v1.dialing_permissions
low = [{ iso_code: 'LV', low_risk_numbers_enabled: 'false' }].to_json
expect('bulk', dialing.bulk_country_updates.create(update_request: low).update_count, 1)
expect('off', dialing.countries('LV').fetch.low_risk_numbers_enabled, false)
expect('prefixes', dialing.countries('LV').highrisk_special_prefixes.list.size, 2)
expect('europe', dialing.countries.list(continent: 'EUROPE').map(&:iso_code).include?('LV'), true)
expect('inheritance', dialing.settings.fetch.dialing_permissions_inheritance, false)

# What is known of numbers, what they cost, and where events go.
found = client.lookups.v2.phone_numbers('+14159929960').fetch(fields: 'line_type_intelligence')
expect('looked up', [found.valid, found.line_type_intelligence['type']], [true, 'mobile'])
expect('invalid', client.lookups.v2.phone_numbers('+1415').fetch.valid, false)
older = client.lookups.v1.phone_numbers('+14159929960').fetch(type: ['carrier'])
expect('looked up before', older.carrier['type'], 'mobile')
expect('messages', client.pricing.v1.messaging.countries('DE').fetch.country, 'Germany')
expect('numbers', client.pricing.v1.phone_numbers.countries('DE').fetch.price_unit, 'USD')
expect('voice', client.pricing.v2.voice.numbers('+14159929960').fetch.iso_country, 'US')
expect('pages', client.pricing.v2.voice.countries.list(limit: 60, page_size: 20).size > 50, true)
there = { destination: 'http://127.0.0.1:9/', method: 'POST', batch_events: false }
sink = client.events.v1.sinks.create(description: 'ruby', sink_type: 'webhook', sink_configuration: there)
expect('sink', client.events.v1.sinks(sink.sid).fetch.status, 'initialized')
kind = 'com.twilio.messaging.message.sent'
types = [{ type: kind, schema_version: 1 }]
subscription = client.events.v1.subscriptions.create(description: 'ruby', sink_sid: sink.sid, types: types)
subscribed = client.events.v1.subscriptions(subscription.sid).subscribed_events
expect('subscribed', subscribed.list.map(&:type), [kind])
expect('type', client.events.v1.event_types(kind).fetch.type, kind)
expect('unsubscribed', client.events.v1.subscriptions(subscription.sid).delete, true)
expect('no sink', client.events.v1.sinks(sink.sid).delete, true)

# Verify.
phone = '+15551230003'
verify = client.verify.v2
service = verify.services.create(friendly_name: 'Acme', code_length: 5)
own = verify.services(service.sid)
begun = own.verifications.create(to: phone, channel: 'sms', rate_limits: {})
expect('pending', [begun.status, begun.channel], %w[pending sms])
text = control(:Get, "expect?#{URI.encode_www_form('to' => phone, 'body~' => 'Acme', 'within' => 60)}")
expect('length', text['code'].size, 5)
wrong = text['code'] == '00000' ? '00001' : '00000'
expect('wrong', own.verification_checks.create(to: phone, code: wrong).status, 'pending')
expect('right', own.verification_checks.create(to: phone, code: text['code']).status, 'approved')
again = own.verifications.create(to: phone, channel: 'sms')
expect('canceled', own.verifications(again.sid).update(status: 'canceled').status, 'canceled')
refused(404, 20404) { own.verifications(phone).fetch }
limit = own.rate_limits.create(unique_name: 'ip')
expect('bucket', own.rate_limits(limit.sid).buckets.create(max: 4, interval: 60).max, 4)
expect('attempts', verify.verification_attempts.list(verify_service_sid: service.sid).size.positive?, true)
expect('templates', verify.templates.list.size.positive?, true)
expect('listed', verify.services.list.map(&:sid).include?(service.sid), true)
expect('deleted', own.delete, true)
refused(404, 20404) { own.fetch }

puts 'ruby: the sandbox is a Twilio'
