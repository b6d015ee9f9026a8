// go-nostr (the library under nak) against `cdvm relay` and against our encryption and gift wraps.
// Environment: RELAY, BLOBS (URLs), PEER (path of tests/interop/peer).
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nbd-wtf/go-nostr"
	"github.com/nbd-wtf/go-nostr/keyer"
	"github.com/nbd-wtf/go-nostr/nip11"
	"github.com/nbd-wtf/go-nostr/nip44"
	"github.com/nbd-wtf/go-nostr/nip59"
	"github.com/nbd-wtf/go-nostr/nipb0/blossom"
)

var (
	url, blobs, peerPath = os.Getenv("RELAY"), os.Getenv("BLOBS"), os.Getenv("PEER")
	me, you              = nostr.GeneratePrivateKey(), nostr.GeneratePrivateKey()
	mine, yours          = public(me), public(you)
)

func public(sk string) string {
	pk, err := nostr.GetPublicKey(sk)
	if err != nil {
		panic(err)
	}
	return pk
}

func peer(input string, args ...string) (string, error) {
	cmd := exec.Command(peerPath, args...)
	var out, why bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &why
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("peer %s: %s", args[0], why.String())
	}
	return out.String(), nil
}

func note(sk string, kind int, text string, tags ...nostr.Tag) nostr.Event {
	e := nostr.Event{Kind: kind, CreatedAt: nostr.Now(), Content: text, Tags: tags}
	if err := e.Sign(sk); err != nil {
		panic(err)
	}
	return e
}

func publishesAndQueries(ctx context.Context) error {
	r, err := nostr.RelayConnect(ctx, url)
	if err != nil {
		return err
	}
	defer r.Close()
	e := note(me, 1, "from go \u2028 \"quoted\" \\")
	if err := r.Publish(ctx, e); err != nil {
		return err
	}
	got, err := r.QuerySync(ctx, nostr.Filter{IDs: []string{e.ID}})
	if err == nil && (len(got) != 1 || got[0].Content != e.Content || got[0].Sig != e.Sig) {
		err = errors.New("not the same event")
	}
	return err
}

func counts(ctx context.Context) error {
	r, err := nostr.RelayConnect(ctx, url)
	if err != nil {
		return err
	}
	defer r.Close()
	sk := nostr.GeneratePrivateKey()
	for i := 0; i < 3; i++ {
		if err := r.Publish(ctx, note(sk, 1, fmt.Sprint(i))); err != nil {
			return err
		}
	}
	n, _, err := r.Count(ctx, nostr.Filters{{Authors: []string{public(sk)}}})
	if err == nil && n != 3 {
		err = fmt.Errorf("counted %d", n)
	}
	return err
}

func readsInformation(ctx context.Context) error {
	info, err := nip11.Fetch(ctx, url)
	if err == nil && (info.Limitation == nil || info.Limitation.MaxMessageLength < 65536) {
		err = errors.New("incomplete")
	}
	return err
}

func encryptTo(sk, pk string) func(string) (string, error) {
	return func(text string) (string, error) {
		key, err := nip44.GenerateConversationKey(pk, sk)
		if err != nil {
			return "", err
		}
		return nip44.Encrypt(text, key)
	}
}

func decryptWith(sk string) func(string, string) (string, error) {
	return func(pk, payload string) (string, error) {
		key, err := nip44.GenerateConversationKey(pk, sk)
		if err != nil {
			return "", err
		}
		return nip44.Decrypt(payload, key)
	}
}

func wrapOf(text string) (nostr.Event, error) {
	rumor := nostr.Event{Kind: 14, PubKey: mine, CreatedAt: nostr.Now(), Content: text,
		Tags: nostr.Tags{{"p", yours}}}
	rumor.ID = rumor.GetID()
	return nip59.GiftWrap(rumor, yours, encryptTo(me, yours),
		func(e *nostr.Event) error { return e.Sign(me) }, nil)
}

func authOpensTheInbox(ctx context.Context) error {
	wrap, err := wrapOf("hello inbox")
	if err != nil {
		return err
	}
	r, err := nostr.RelayConnect(ctx, url)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Publish(ctx, wrap); err != nil {
		return err
	}
	inbox := nostr.Filter{Kinds: []int{1059}, Tags: nostr.TagMap{"p": {yours}}}
	if got, _ := r.QuerySync(ctx, inbox); len(got) != 0 {
		return errors.New("served without AUTH")
	}
	time.Sleep(100 * time.Millisecond) // the challenge comes right after the connection
	if err := r.Auth(ctx, func(e *nostr.Event) error { return e.Sign(you) }); err != nil {
		return err
	}
	got, err := r.QuerySync(ctx, inbox)
	if err != nil || len(got) != 1 {
		return fmt.Errorf("%d events after AUTH: %v", len(got), err)
	}
	rumor, err := nip59.GiftUnwrap(*got[0], decryptWith(you))
	if err == nil && rumor.Content != "hello inbox" {
		err = errors.New("wrong content")
	}
	return err
}

func nip44BothWays(ctx context.Context) error {
	key, err := nip44.GenerateConversationKey(yours, me)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 32, 33, 1000, 40000} {
		text := strings.Repeat("x", n-1) + "!"
		theirs, err := nip44.Encrypt(text, key)
		if err != nil {
			return err
		}
		if back, err := peer(theirs, "decrypt", you, mine); err != nil || back != text {
			return fmt.Errorf("theirs, %d bytes: %v", n, err)
		}
		ours, err := peer(text, "encrypt", you, mine)
		if err != nil {
			return err
		}
		if back, err := nip44.Decrypt(ours, key); err != nil || back != text {
			return fmt.Errorf("ours, %d bytes: %v", n, err)
		}
	}
	return nil
}

func nip59TheirsToOurs(ctx context.Context) error {
	wrap, err := wrapOf("to C")
	if err != nil {
		return err
	}
	got, err := peer(wrap.String(), "unwrap", you)
	if err == nil && !strings.Contains(got, `"content":"to C"`) {
		err = errors.New(got)
	}
	return err
}

func nip59OursToTheirs(ctx context.Context) error {
	text, err := peer("from C", "wrap", me, yours)
	if err != nil {
		return err
	}
	var wrap nostr.Event
	if err := wrap.UnmarshalJSON([]byte(text)); err != nil {
		return err
	}
	rumor, err := nip59.GiftUnwrap(wrap, decryptWith(you))
	if err == nil && (rumor.Content != "from C" || rumor.PubKey != mine) {
		err = errors.New("wrong rumor")
	}
	return err
}

func uploadsAndDownloads(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "cdvm-interop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := bytes.Repeat([]byte{7}, 300000)
	file := filepath.Join(dir, "blob")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	signer, err := keyer.NewPlainKeySigner(me)
	if err != nil {
		return err
	}
	c := blossom.NewClient(blobs, signer)
	made, err := c.UploadFile(ctx, file)
	if err != nil {
		return err
	}
	back, err := c.Download(ctx, made.SHA256)
	if err == nil && !bytes.Equal(back, data) {
		err = errors.New("other bytes")
	}
	if err != nil {
		return err
	}
	if got, err := peer("", "get", blobs, made.SHA256); err != nil || got != string(data) {
		return fmt.Errorf("our client: %v", err)
	}
	return c.Delete(ctx, made.SHA256)
}

func main() {
	tests := []struct {
		name string
		run  func(context.Context) error
	}{
		{"publishes and queries", publishesAndQueries},
		{"counts", counts},
		{"reads the information document", readsInformation},
		{"AUTH opens the inbox, to its owner only", authOpensTheInbox},
		{"NIP-44: both ways", nip44BothWays},
		{"NIP-59: theirs to ours", nip59TheirsToOurs},
		{"NIP-59: ours to theirs", nip59OursToTheirs},
		{"blobs: uploads, downloads, deletes", uploadsAndDownloads},
	}
	for _, t := range tests {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if err := t.run(ctx); err != nil {
			fmt.Printf("not ok go-nostr: %s\n# %v\n", t.name, err)
		} else {
			fmt.Printf("ok go-nostr: %s\n", t.name)
		}
		cancel()
	}
}
