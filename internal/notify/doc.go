// Package notify tells a product what happened: that a customer connected, that a
// backfill is complete, that a destination was disabled. A project routes the
// events that it cares about to topics, and topics to destinations; a
// destination gets a message {notificationType, data} like any other, signed and
// retried by package deliver.
//
// # What it promises
//
// [Service.Notify] joins the transaction of its context: the product is notified
// if and only if the event's change is committed. It makes one batch for each destination,
// once, however many topics lead there. An event that is not routed goes
// nowhere, which is no error. Notifications to one destination go out in the order
// in which they were made (one lane), except for those that are tried again.
//
// The data of each event is a struct of package windlass (ConnectionNotice and so on).
//
// # What to use
//
// Other flows declare a Notifier with the one method Notify; the server gives them
// a [Service]. Topics and routes are managed with [Service.CreateTopic],
// [Service.RouteEvent], [Service.RouteTopic] and the methods beside them.
package notify
