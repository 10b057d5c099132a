package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
)

// layout is the first byte of a ciphertext. Then come the length of the key's id,
// the id, the number of the backing key (two bytes), and what AES-GCM made.
const layout = 1

type blob struct {
	key     string
	backing int
	sealed  []byte // nonce and ciphertext
}

func (b blob) header() []byte {
	out := append([]byte{layout, byte(len(b.key))}, b.key...)
	return binary.BigEndian.AppendUint16(out, uint16(b.backing))
}

func readBlob(raw []byte) (blob, error) {
	damaged := refuse(sdk.ErrCodeInvalidCiphertextException, "The ciphertext is damaged or was not made by this service")
	if len(raw) < 2 || raw[0] != layout || len(raw) < 4+int(raw[1]) {
		return blob{}, damaged
	}
	id, rest := string(raw[2:2+int(raw[1])]), raw[2+int(raw[1]):]
	return blob{key: id, backing: int(binary.BigEndian.Uint16(rest)), sealed: rest[2:]}, nil
}

// bound is what a ciphertext is tied to beside its key.
func (b blob) bound(context map[string]*string) ([]byte, error) {
	raw, err := json.Marshal(context) // in the order of the names
	if err != nil {
		return nil, fmt.Errorf("encode encryption context: %w", err)
	}
	if len(context) == 0 {
		raw = nil
	}
	return append(b.header(), raw...), nil
}

func (k *key) seal(plain []byte, context map[string]*string) ([]byte, error) {
	b := blob{key: k.id, backing: len(k.backing) - 1}
	gcm, err := newGCM(k.backing[b.backing])
	if err != nil {
		return nil, err
	}
	bound, err := b.bound(context)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce) // never fails; it ends the program instead
	return append(b.header(), gcm.Seal(nonce, nonce, plain, bound)...), nil
}

func (k *key) unseal(b blob, context map[string]*string) ([]byte, error) {
	refused := refuse(sdk.ErrCodeInvalidCiphertextException, "The ciphertext is damaged, or its encryption context is another")
	if b.backing >= len(k.backing) {
		return nil, refused
	}
	gcm, err := newGCM(k.backing[b.backing])
	if err != nil {
		return nil, err
	}
	bound, err := b.bound(context)
	if err != nil {
		return nil, err
	}
	if len(b.sealed) < gcm.NonceSize() {
		return nil, refused
	}
	plain, err := gcm.Open(nil, b.sealed[:gcm.NonceSize()], b.sealed[gcm.NonceSize():], bound)
	if err != nil {
		return nil, refused
	}
	return plain, nil
}

func newGCM(material []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(material)
	if err != nil {
		return nil, fmt.Errorf("key material: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("key material: %w", err)
	}
	return gcm, nil
}

// symmetric refuses algorithms that a symmetric key doesn't have.
func symmetric(algorithm *string) error {
	if a := aws.StringValue(algorithm); a != "" && a != sdk.EncryptionAlgorithmSpecSymmetricDefault {
		return refuse(sdk.ErrCodeInvalidKeyUsageException, "The algorithm %s is not one of a key of spec %s", a, sdk.KeySpecSymmetricDefault)
	}
	return nil
}

// Encrypt encrypts up to 4,096 bytes.
func (k *KMS) Encrypt(c *wire.Call, in *sdk.EncryptInput) (*sdk.EncryptOutput, error) {
	if err := symmetric(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	with, err := k.open(c, in.KeyId, usable()...)
	if err != nil {
		return nil, err
	}
	sealed, err := with.seal(in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &sdk.EncryptOutput{
		CiphertextBlob: sealed, KeyId: aws.String(with.arn), EncryptionAlgorithm: aws.String(sdk.EncryptionAlgorithmSpecSymmetricDefault),
	}, nil
}

// Decrypt decrypts what a key of this Region, or of its family, has encrypted.
func (k *KMS) Decrypt(c *wire.Call, in *sdk.DecryptInput) (*sdk.DecryptOutput, error) {
	if err := symmetric(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	b, err := readBlob(in.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	with, err := k.decrypting(c, in.KeyId, b.key)
	if err != nil {
		return nil, err
	}
	plain, err := with.unseal(b, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &sdk.DecryptOutput{Plaintext: plain, KeyId: aws.String(with.arn), EncryptionAlgorithm: aws.String(sdk.EncryptionAlgorithmSpecSymmetricDefault)}, nil
}

// decrypting gives the key of a ciphertext, which must be the one that the caller
// names, if any.
func (k *KMS) decrypting(c *wire.Call, named *string, id string) (*key, error) {
	if named != nil {
		with, err := k.open(c, named, usable()...)
		if err == nil && with.id != id {
			return nil, refuse(sdk.ErrCodeIncorrectKeyException, "The key ID in the request does not identify a CMK that can perform this operation.")
		}
		return with, err
	}
	if _, ok := k.keys[place{c.Region, id}]; !ok {
		return nil, refuse("AccessDeniedException",
			"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	}
	return k.open(c, &id, usable()...)
}

// GenerateDataKey makes a key to encrypt with elsewhere, plain and encrypted.
func (k *KMS) GenerateDataKey(c *wire.Call, in *sdk.GenerateDataKeyInput) (*sdk.GenerateDataKeyOutput, error) {
	plain, sealed, arn, err := k.dataKey(c, in.KeyId, in.KeySpec, in.NumberOfBytes, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &sdk.GenerateDataKeyOutput{Plaintext: plain, CiphertextBlob: sealed, KeyId: arn}, nil
}

// GenerateDataKeyWithoutPlaintext makes a key for later, encrypted only.
func (k *KMS) GenerateDataKeyWithoutPlaintext(c *wire.Call, in *sdk.GenerateDataKeyWithoutPlaintextInput) (*sdk.GenerateDataKeyWithoutPlaintextOutput, error) {
	_, sealed, arn, err := k.dataKey(c, in.KeyId, in.KeySpec, in.NumberOfBytes, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &sdk.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: sealed, KeyId: arn}, nil
}

func (k *KMS) dataKey(c *wire.Call, ref, spec *string, size *int64, context map[string]*string) (plain, sealed []byte, arn *string, err error) {
	if (spec == nil) == (size == nil) {
		return nil, nil, nil, wire.Invalid("Please specify either number of bytes or key spec.")
	}
	length := aws.Int64Value(size)
	switch aws.StringValue(spec) {
	case sdk.DataKeySpecAes256:
		length = 32
	case sdk.DataKeySpecAes128:
		length = 16
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	with, err := k.open(c, ref, usable()...)
	if err != nil {
		return nil, nil, nil, err
	}
	plain = make([]byte, length)
	_, _ = rand.Read(plain) // never fails; it ends the program instead
	sealed, err = with.seal(plain, context)
	return plain, sealed, aws.String(with.arn), err
}
