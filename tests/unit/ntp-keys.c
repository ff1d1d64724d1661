/* SPDX-License-Identifier: MIT */
/* The file of keys: what is taken, and every way to be wrong with its message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "sources/ntp_keys.h"

static int parse_bytes(struct ntp_keys **ret, const void *text, size_t size, char **errors)
{
	size_t length;
	FILE *stream = open_memstream(errors, &length);
	int r;

	cr_assert(stream);
	r = ntp_keys_parse(ret, "k", text, size, stream);
	fclose(stream);
	return r;
}

static int parse(struct ntp_keys **ret, const char *text, char **errors)
{
	return parse_bytes(ret, text, strlen(text), errors);
}

static void expect_key(const struct ntp_keys *keys, uint32_t id, const char *type,
		       const char *bytes, size_t size)
{
	const struct ntp_key *key = ntp_keys_find(keys, id);

	cr_assert(key, "%u", (unsigned int)id);
	cr_assert_eq(key->id, id);
	cr_assert_str_eq(ntp_key_type_name(key->type), type);
	cr_assert_eq(key->size, size);
	cr_assert_arr_eq(key->bytes, bytes, size);
}

Test(ntp_keys, what_is_taken)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "  % another\n!\n;\n"
				   "1 MD5 tulip\n"
				   "2 SHA1 HEX:933F62BE1D604E68A81B557F18CFA200483F5B70\n"
				   "\t30\tSHA256 \t ASCII:HEX:00 \r\n"
				   "4294967295 old-style\n"
				   "5 AES128 HEX:00112233445566778899aabbCCDDEEFF\n"
				   "6 AES256 ASCII:0123456789abcdef0123456789abcdef\n"
				   "7 SHA512 #no%comment";
	struct ntp_keys *keys;
	char *errors;

	cr_assert_eq(parse(&keys, text, &errors), 0, "%s", errors);
	cr_assert_str_eq(errors, "");
	expect_key(keys, 1, "MD5", "tulip", 5);
	expect_key(
		keys, 2, "SHA1",
		"\x93\x3f\x62\xbe\x1d\x60\x4e\x68\xa8\x1b\x55\x7f\x18\xcf\xa2\x00\x48\x3f\x5b\x70",
		20);
	expect_key(keys, 30, "SHA256", "HEX:00", 6);
	expect_key(keys, 4294967295, "MD5", "old-style", 9);
	expect_key(keys, 5, "AES128",
		   "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	expect_key(keys, 6, "AES256", "0123456789abcdef0123456789abcdef", 32);
	expect_key(keys, 7, "SHA512", "#no%comment", 11);
	cr_assert_null(ntp_keys_find(keys, 3));
	cr_assert_null(ntp_keys_find(keys, 0));
	ntp_keys_free(keys);
	free(errors);

	cr_assert_eq(parse(&keys, "", &errors), 0);
	cr_assert_null(ntp_keys_find(keys, 1));
	ntp_keys_free(keys);
	free(errors);
	ntp_keys_free(NULL);
	cr_assert_null(ntp_keys_find(NULL, 1));
}

#define TYPES                                                                                      \
	"MD5, SHA1, SHA256, SHA384, SHA512, SHA3-224, SHA3-256, SHA3-384, SHA3-512, AES128 or "    \
	"AES256"
#define IDS "an integer from 1 to 4294967295"

static const struct {
	const char *text;
	const char *errors;
} bad[] = {
	{"1\n", "k:1: (line): it has no key; allowed: ID TYPE KEY\n"},
	{"1 SHA1 a b\n", "k:1: (line): more than three words; allowed: ID TYPE KEY\n"},
	{"\n0 SHA1 a\n", "k:2: id: it is none; allowed: " IDS "\n"},
	{"4294967296 SHA1 a", "k:1: id: it is none; allowed: " IDS "\n"},
	{"99999999999999999999 SHA1 a", "k:1: id: it is none; allowed: " IDS "\n"},
	{"-1 SHA1 a", "k:1: id: it is none; allowed: " IDS "\n"},
	{"x SHA1 a", "k:1: id: it is none; allowed: " IDS "\n"},
	{"1 SHA1 a\n1 SHA1 b\n", "k:2: id: another line has it too; allowed: each once\n"},
	{"1 sha1 a\n", "k:1: type: no such type; allowed: " TYPES "\n"},
	{"1 SHA1SHA1SHA1SHA1SHA1 a\n", "k:1: type: no such type; allowed: " TYPES "\n"},
	{"1 SHA1 HEX:\n", "k:1: key: it is empty; allowed: 1 to 256 bytes\n"},
	{"1 SHA1 HEX:0g\n", "k:1: key: what follows HEX: is no hexadecimal number; "
			    "allowed: pairs of the digits 0 to 9 and A to F\n"},
	{"1 SHA1 HEX:000\n", "k:1: key: what follows HEX: is no hexadecimal number; "
			     "allowed: pairs of the digits 0 to 9 and A to F\n"},
	{"1 AES128 secretsecret\n",
	 "k:1: key: it has the wrong size; allowed: 16 bytes for AES128\n"},
	{"1 AES256 HEX:00112233445566778899aabbccddeeff\n",
	 "k:1: key: it has the wrong size; allowed: 32 bytes for AES256\n"},
	/* Several at once, and never a key's bytes */
	{"0 X secret\n1 AES128 secret\n2 SHA1 ok\n3 SHA1 HEX:secret\n",
	 "k:1: id: it is none; allowed: " IDS "\n"
	 "k:1: type: no such type; allowed: " TYPES "\n"
	 "k:2: key: it has the wrong size; allowed: 16 bytes for AES128\n"
	 "k:4: key: what follows HEX: is no hexadecimal number; "
	 "allowed: pairs of the digits 0 to 9 and A to F\n"},
};

Test(ntp_keys, every_mistake_is_named)
{
	struct ntp_keys *keys;
	char *errors;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(parse(&keys, bad[i].text, &errors), -EINVAL, "%s", bad[i].text);
		cr_expect_str_eq(errors, bad[i].errors, "%s\ngives\n%s", bad[i].text, errors);
		free(errors);
	}
}

Test(ntp_keys, limits)
{
	char *text = malloc(NTP_KEYS_FILE_MAX + 1), *errors;
	struct ntp_keys *keys;
	size_t used = 0;
	unsigned int i;

	cr_assert(text);
	cr_assert_eq(parse_bytes(&keys, "1 SHA1 a\0b", 10, &errors), -EINVAL);
	cr_assert_str_eq(errors,
			 "k:1: (line): a NUL character; allowed: 2048 characters of text\n");
	free(errors);

	memset(text, 'a', NTP_KEYS_FILE_MAX + 1);
	memcpy(text, "1 SHA1 ", 7);
	cr_assert_eq(parse_bytes(&keys, text, 7 + NTP_KEY_SIZE_MAX, &errors), 0);
	cr_assert_eq(ntp_keys_find(keys, 1)->size, NTP_KEY_SIZE_MAX);
	ntp_keys_free(keys);
	free(errors);
	cr_assert_eq(parse_bytes(&keys, text, 8 + NTP_KEY_SIZE_MAX, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: key: it is too long; allowed: 1 to 256 bytes\n");
	free(errors);
	cr_assert_eq(parse_bytes(&keys, text, NTP_KEYS_LINE_MAX + 1, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: (line): too long; allowed: 2048 characters of text\n");
	free(errors);

	memset(text, '\n', NTP_KEYS_FILE_MAX + 1);
	cr_assert_eq(parse_bytes(&keys, text, NTP_KEYS_FILE_MAX, &errors), 0);
	ntp_keys_free(keys);
	free(errors);
	cr_assert_eq(parse_bytes(&keys, text, NTP_KEYS_FILE_MAX + 1, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: (file): too large; allowed: 262144 bytes\n");
	free(errors);

	for (i = 1; i <= NTP_KEYS_MAX; i++)
		used += (size_t)sprintf(text + used, "%u SHA1 a\n", i);
	cr_assert_eq(parse_bytes(&keys, text, used, &errors), 0, "%s", errors);
	cr_assert(ntp_keys_find(keys, NTP_KEYS_MAX));
	ntp_keys_free(keys);
	free(errors);
	used += (size_t)sprintf(text + used, "%u SHA1 a\n", i);
	cr_assert_eq(parse_bytes(&keys, text, used, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1025: (line): too many keys; allowed: 1024 keys\n");
	free(errors);
	free(text);
}

static int load(const char *path, struct ntp_keys **ret, char **errors)
{
	size_t length;
	FILE *stream = open_memstream(errors, &length);
	int r;

	cr_assert(stream);
	r = ntp_keys_load(ret, path, "k", stream);
	fclose(stream);
	return r;
}

Test(ntp_keys, files)
{
	char directory[] = "/tmp/chronotick-keys-XXXXXX", path[64], *errors;
	struct ntp_keys *keys;
	FILE *file;

	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/k", directory);
	cr_assert_eq(load(path, &keys, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: (file): No such file or directory; allowed: a readable "
				 "file\n");
	free(errors);
	cr_assert_eq(load(directory, &keys, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: (file): it is no regular file; allowed: a readable file\n");
	free(errors);
	/* Nobody writes to it: it must not be waited for. */
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(load(path, &keys, &errors), -EINVAL);
	cr_assert_str_eq(errors, "k:1: (file): it is no regular file; allowed: a readable file\n");
	free(errors);
	unlink(path);

	file = fopen(path, "w");
	cr_assert(file);
	fputs("5 SHA256 secret\n", file);
	fclose(file);
	chmod(path, 0640);
	cr_assert_eq(load(path, &keys, &errors), 0, "%s", errors);
	cr_assert_str_eq(errors, "");
	expect_key(keys, 5, "SHA256", "secret", 6);
	ntp_keys_free(keys);
	free(errors);
	chmod(path, 0644);
	cr_assert_eq(load(path, &keys, &errors), 0);
	cr_assert_str_eq(errors, "k:1: (file): warning: everybody may read these keys; advised: "
				 "mode 0640\n");
	ntp_keys_free(keys);
	free(errors);
	unlink(path);
	rmdir(directory);
}
