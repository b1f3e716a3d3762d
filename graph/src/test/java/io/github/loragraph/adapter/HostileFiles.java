package io.github.loragraph.adapter;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Adapters' files that must be refused, each with words of the refusal. */
final class HostileFiles {
  /** What a safetensors file holds, by words of its refusal. */
  static final Map<String, byte[]> SAFETENSORS = safetensors();

  /** What an {@code adapter_config.json} says, and words of its refusal. */
  static final List<String[]> CONFIGS = configs();

  private HostileFiles() {}

  private static Map<String, byte[]> safetensors() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("it has 0 bytes", new byte[0]);
    files.put("it has 7 bytes", new byte[7]);
    files.put("does not begin with '{'", file("", 0));
    files.put("at most 100,000,000 are allowed", length(-1));
    files.put("said to have 100000001 bytes", length(100_000_001));
    files.put("and the file has only 8", length(2));
    files.put("does not begin with '{'", file(" {}", 0));
    files.put("its header is no JSON", file("{\"a\":", 0));
    files.put("something follows the JSON object", file("{} {}", 0));
    files.put("not in UTF-8", file(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}, 0));
    files.put("0 bytes, and 4 follow the header", file("{}", 4));
    files.put("'a' is not described by an object", file("{\"a\":1}", 0));
    files.put("'a' has no dtype", file("{\"a\":{}}", 0));
    files.put("has dtype 'F31'", file(entry("a", "\"F31\"", "[1]", "[0,4]"), 4));
    files.put("has dtype '32'", file(entry("a", "32", "[1]", "[0,4]"), 4));
    files.put("the shape of tensor 'a' are no list", file(entry("a", "[-1]", "[0,4]"), 4));
    files.put("the shape of tensor 'b' are no list", file(entry("b", "[1.0]", "[0,4]"), 4));
    files.put("the shape of tensor 'c' are no list", file(entry("c", "1", "[0,4]"), 4));
    files.put(
        "the shape of tensor 'd' are no list",
        file(entry("d", "[18446744073709551616]", "[0,4]"), 4));
    files.put(
        "has more elements than can be counted",
        file(entry("a", "[4294967296,4294967296]", "[0,4]"), 4));
    files.put("needs 8 bytes, and its offsets give it 4", file(entry("a", "[2]", "[0,4]"), 4));
    files.put("needs 4 bytes, and its offsets give it 8", file(entry("a", "[1]", "[0,8]"), 8));
    files.put("no beginning and end", file(entry("a", "[1]", "[4,0]"), 4));
    files.put("data_offsets [0, 4, 8]", file(entry("a", "[1]", "[0,4,8]"), 4));
    files.put("4 bytes, and 3 follow the header", file(entry("a", "[1]", "[0,4]"), 3));
    files.put("4 bytes, and 5 follow the header", file(entry("a", "[1]", "[0,4]"), 5));
    files.put("there is a hole from 0 on", file(entry("a", "[1]", "[4,8]"), 8));
    files.put(
        "they overlap",
        file("{" + inner("a", "[2]", "[0,8]") + "," + inner("b", "[1]", "[4,8]") + "}", 8));
    files.put(
        "there is a hole from 4 on",
        file("{" + inner("a", "[1]", "[0,4]") + "," + inner("b", "[1]", "[8,12]") + "}", 12));
    files.put(
        "has a key twice",
        file("{" + inner("a", "[1]", "[0,4]") + "," + inner("a", "[1]", "[0,4]") + "}", 4));
    files.put(
        "its header has a key twice ('shape')",
        file("{\"a\":{\"shape\":[1],\"shape\":[1],\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4));
    files.put(
        "its header has a key twice ('format')",
        file("{\"__metadata__\":{\"format\":\"pt\",\"format\":\"np\"}}", 0));
    files.put("its __metadata__ is no object", file("{\"__metadata__\":[]}", 0));
    files.put("has 'format', which is no text", file("{\"__metadata__\":{\"format\":1}}", 0));
    files.put("half a character", file(entry("\\ud800", "[1]", "[0,4]"), 4));
    files.put(
        "which the format does not have",
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4));
    files.put("no whole number of bytes", file(entry("a", "\"F4\"", "[3]", "[0,2]"), 2));
    files.put(
        "is of type F8_E4M3, which is not read",
        file(entry("a", "\"F8_E4M3\"", "[4]", "[0,4]"), 4));
    return files;
  }

  private static List<String[]> configs() {
    List<String[]> configs = new ArrayList<>();
    configs.add(new String[] {"", "no JSON"});
    configs.add(new String[] {"[]", "no JSON object"});
    configs.add(new String[] {"{\"peft_type\": \"LORA\"", "no JSON"});
    configs.add(new String[] {"{\"r\": 4}", "no peft_type"});
    configs.add(new String[] {"{\"peft_type\": \"LOHA\"}", "only LORA is read"});
    configs.add(new String[] {"{\"peft_type\": 1}", "peft_type is not a text"});
    configs.add(new String[] {"{\"r\": 1, \"r\": 2}", "a key twice ('r')"});
    for (String[] entry :
        new String[][] {
          {"\"r\": 0", "must be at least 1"},
          {"\"r\": 4.5", "r is not a whole number"},
          {"\"r\": 99999999999", "r is not a whole number"},
          {"\"r\": \"4\"", "r is not a whole number"},
          {"\"lora_alpha\": 0", "must be a positive number"},
          {"\"lora_alpha\": 1e999", "must be a positive number"},
          {"\"lora_alpha\": NaN", "no JSON"},
          {"\"lora_alpha\": null, \"lora_alpha\": 1", "a key twice"},
          {"\"bias\": \"some\"", "must be none, all or lora_only"},
          {"\"bias\": true", "bias is not a text"},
          {"\"use_dora\": \"yes\"", "use_dora is not true or false"},
          {"\"use_rslora\": 1", "use_rslora is not true or false"},
          {"\"target_modules\": {}", "target_modules is not a list of names"},
          {"\"target_modules\": [1]", "target_modules is not a list of names"},
          {"\"target_modules\": \"(\"", "no regular expression"},
          {"\"target_modules\": \"(%s)\"".formatted("(".repeat(50_000)), "regular expression"},
          {"\"exclude_modules\": \"*\"", "no regular expression"},
          {"\"layers_to_transform\": [0.5]", "layers_to_transform is not a number"},
          {"\"layers_to_transform\": \"all\"", "layers_to_transform is not a number"},
          {"\"rank_pattern\": []", "rank_pattern is not an object"},
          {"\"rank_pattern\": {\"query\": 0}", "must be a positive number"},
          {"\"rank_pattern\": {\"query\": 1.5}", "rank_pattern is not whole numbers"},
          {"\"rank_pattern\": {\"[\": 4}", "no regular expression"},
          {"\"alpha_pattern\": {\"query\": \"8\"}", "alpha_pattern is not numbers"},
          {"\"modules_to_save\": \"classifier\"", "modules_to_save is not a list"},
          {"\"init_lora_weights\": 3", "init_lora_weights is not true, false or a name"}
        }) {
      configs.add(new String[] {"{\"peft_type\": \"LORA\", " + entry[0] + "}", entry[1]});
    }
    configs.add(
        new String[] {"{\"peft_type\": " + "[".repeat(5000) + "]".repeat(5000) + "}", "no JSON"});
    return configs;
  }

  private static String entry(String name, String shape, String offsets) {
    return "{" + inner(name, shape, offsets) + "}";
  }

  private static String entry(String name, String dtype, String shape, String offsets) {
    return "{\"%s\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(name, dtype, shape, offsets);
  }

  private static String inner(String name, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, shape, offsets);
  }

  private static byte[] length(long bytes) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes).array();
  }

  private static byte[] file(String header, int data) {
    return file(header.getBytes(StandardCharsets.UTF_8), data);
  }

  private static byte[] file(byte[] header, int data) {
    return ByteBuffer.allocate(8 + header.length + data)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }
}
