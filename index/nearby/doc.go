// Package nearby lets two accounts that trust each other find out that they
// were at the same place at the same time, and nothing else. It is pure: it
// makes and reads messages (format "kith-nearby", version 1), keeps nothing,
// sends nothing and knows no clock. What carries the messages is the host's.
//
// # What happens
//
// Two accounts pair: an invitation, an acceptance and an opening (Invite,
// Accept, Complete) give them keys that no other pair has. For each day of UTC
// that is over each account begins a Round from its photos with a place, and
// sends a Batch: 256 questions and 256 tokens. Each answers the other's
// questions (Answer). A question and its answer give the asker a token of one
// of its own spots; if it is among the other's tokens, both were at that spot,
// and Round.Meetings names the asker's photos of it. That is all a match is: the
// account can now propose to its owner to offer these photos to the friend
// (Offer, Reply, Delivered).
//
// A spot is a cell of about 125 m and a slot of ten minutes. Each photo touches
// the spots within 75 m and 10 minutes of it, so that two photos within 150 m
// and 20 minutes always share one, on whichever sides of a border they are, and
// two photos 400 m or more than 30 minutes apart never do. In between it depends
// on where the borders are: at one time, 77 of 100 photos 200 m apart share a
// spot, 43 of those 250 m apart, 10 of those 300 m apart (BenchmarkApart).
//
// In a simulation of phones' days with errors of positions (BenchmarkMeetings:
// 60 months of four phones) 860 of 868 meetings are found: two phones together
// for 20 minutes or more, both taking photos. Those that are missed are walks on
// which the two took photos far from each other's. Of 1,199 claims 6 are false:
// the two were not within 300 m of each other from half an hour before to half
// an hour after. With cells of 250 m and a reach of 200 m it would be 866 found
// and 72 false, with cells of 125 m and a reach of 100 m 852 found.
//
// A day costs each side of a pair about a tenth of a second of one core and two
// messages of 12,376 bytes (BenchmarkDay).
//
// # Pairing
//
// The invitation goes by a way that nobody else should read, such as a code on a
// screen or a file handed over; the acceptance and the opening by any. Who has
// not read the invitation cannot accept it. If others may have read it, the two
// compare Pair.Code, eight digits, which differ if somebody stands between them.
// The inviter's key is fixed before the accepter's is known, and hidden until
// that is fixed too, so that nobody can look for keys that give equal digits.
//
// # What others learn
//
// Whoever carries the messages sees that two random addresses exchange messages
// of one size, Size, when they do, and how many. A batch is made for each day,
// also for one without any photo, always of 256 questions and tokens: nothing in
// it depends on how many places somebody was at. The addresses, keys and tokens
// of two pairs of the same account have nothing in common. Without a pair's key
// nothing can be tried: tokens are keyed hashes, and messages are encrypted
// (AES-256-GCM, a key for each direction) and opened once.
//
// # What the friend learns
//
// At which of the friend's own spots the account took a photo too. Not where
// else it was, nor how often; not on which photos, until they are offered; not
// where in the spot. The friend has the pair's key, and could compute with it
// the keyed hash of every cell and slot. Plain keyed hashes of where somebody
// was would therefore hide nothing from a friend who tries all of them, some
// ten thousand cells of a city by 144 slots, in seconds. Here that is no use. A
// token is a hash of the spot's point multiplied by a secret scalar of the
// account and the day (an oblivious pseudorandom function, see blind.go), and
// the friend gets that product for the 256 points of one batch a day, named
// before any of it is known. Not even the batches of years, and the keys of the
// pair, help later: once a round is closed, its scalar is gone.
//
// # Limits
//
//   - A friend with a changed program can guess: 256 spots for each day by the
//     questions, and as many by the tokens. As a photo touches three slots, that
//     is five places through a whole day, or 256 places at one time. What is
//     guessed right is learned, without the account noticing; what nobody would
//     guess is hidden. Homes can be guessed. An account that leaves out its
//     photos at home, or any others, answers no guess about them: they are not
//     in the round.
//   - A friend who guesses a spot by the tokens appears to have been there, and
//     the account proposes its photos of that spot. Nobody can prove to have
//     been anywhere. A rule that offers without asking trusts the friend this
//     much.
//   - A friend can answer falsely, or not at all, and so learn what the account
//     does not. Who never answers can be seen to, and unpaired.
//   - A match says what it says: within some hundred metres and half an hour, as
//     far as the photos' times and positions are right. Neighbours in two houses
//     of a street match.
//   - A round is of the photos that were known when it began. Photos that come
//     later (a card that is read after a week) enter no round of their day; a
//     host can wait some days before it begins one.
//   - Of more than 256 spots on a day, the least by keyed hash are compared:
//     both sides keep the same ones of those that both have, so that a long
//     meeting is found all the same, but a short one on a day of hundreds of
//     photos at dozens of places may be missed.
//   - Offers say a day and a number of photos, and that there is an offer says
//     that the account found the match.
//   - The keys of a pair are not renewed. Who copies them, and the messages, can
//     read the messages: the offers, and batches that say nothing.
//   - Spots are mapped to points, and blindings inverted, by arithmetic whose
//     time depends on them (math/big), on the account's own machine.
//   - A pair that is restored from a backup has numbers that the other side has
//     seen: it refuses them (ErrReplayed). Pair again.
package nearby
