package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.fixtures.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An adapter that is not what its configuration says is refused in one line, by its name. */
class HostilePeftTest {
  @TempDir Path folder;
  private Path model;
  private Path adapter;

  @BeforeEach
  void copyFiles() throws IOException {
    model = PeftOracle.model(folder);
    adapter = Files.createDirectory(folder.resolve("adapter"));
    for (String file : new String[] {PeftConfig.FILE, PeftAdapter.TENSORS_FILE}) {
      Files.copy(Fixtures.file("peft/roberta-lora/peft-final/" + file), adapter.resolve(file));
    }
  }

  @Test
  void configurationsThatContradictTheTensorsOrAreNotComputed() throws IOException {
    Path config = adapter.resolve(PeftConfig.FILE);
    String good = Files.readString(config);
    Map<List<String>, String> cases = new LinkedHashMap<>();
    put(cases, "\"r\": 4", "\"r\": 5", "rank 5");
    put(cases, "\"use_dora\": false", "\"use_dora\": true", "use_dora");
    put(cases, "\"query\",", "\"key\",", "query");
    put(cases, "\"query\",", "\"query\", \"key\",", "attention.self.key");
    put(cases, "\"layers_to_transform\": null", "\"layers_to_transform\": [0]", "layer.1");
    put(cases, "\"lora_bias\": false", "\"lora_bias\": true", "lora_bias");
    put(cases, "\"layer_replication\": null", "\"layer_replication\": [[0, 1]]", "replication");
    put(cases, "\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 2}", "rank 2");
    put(cases, "\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"", "pissa");
    put(cases, "\"init_lora_weights\": true", "\"init_lora_weights\": \"corda\"", "corda");
    put(cases, "\"init_lora_weights\": true", "\"init_lora_weights\": \"loftq\"", "loftq");
    for (String key :
        new String[] {
          "target_parameters",
          "trainable_token_indices",
          "alora_invocation_tokens",
          "megatron_config",
          "kasa_config",
          "arrow_config",
          "monteclora_config",
          "use_bdlora"
        }) {
      put(cases, "\"r\": 4", "\"r\": 4, \"%s\": {\"a\": [1]}".formatted(key), key);
    }
    put(cases, "\"r\": 4", "\"r\": 4, \"exclude_modules\": [\"query\"]", "query");
    put(cases, "\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "IA3");
    for (Map.Entry<List<String>, String> bad : cases.entrySet()) {
      String text = good.replace(bad.getKey().get(0), bad.getKey().get(1));
      assertFalse(text.equals(good), bad.getKey().get(0));
      Files.writeString(config, text);
      refused(bad.getValue());
    }
    Files.delete(config);
    refused("it has no adapter_config.json");
  }

  private static void put(Map<List<String>, String> cases, String from, String to, String words) {
    cases.put(List.of(from, to), words);
  }

  @Test
  void tensorsThatHaveNoPlace() throws IOException {
    Path tensors = adapter.resolve(PeftAdapter.TENSORS_FILE);
    byte[] bytes = Files.readAllBytes(tensors);
    String good = new String(bytes, StandardCharsets.ISO_8859_1);
    // Names of the same length, so that the header's length stays what it is said to be.
    for (String[] change :
        new String[][] {
          {"layer.0.attention.self.query", "layer.7.attention.self.query", "layer.7"},
          {"layer.1.attention.self.value.lora_A", "layer.1.attention.self.value.lora_C", "lora_"},
          {"roberta.encoder.layer.0.attention.self.query.lora_A", "x".repeat(51), "lora_A"},
          {"classifier.dense.bias", "classifier.tense.bias", "classifier.tense.bias"},
          {"\"F32\",\"shape\":[4,16]", "\"I32\",\"shape\":[4,16]", "INT32"},
          {"\"shape\":[2,16]", "\"shape\":[4,8] ", "classifier.out_proj.weight"},
          {"\"shape\":[16,4]", "\"shape\":[8,8] ", "lora_B"}
        }) {
      String text = good.replace(change[0], change[1]);
      assertEquals(good.length(), text.length(), change[0]);
      assertFalse(text.equals(good), change[0]);
      Files.write(tensors, text.getBytes(StandardCharsets.ISO_8859_1));
      refused(change[2]);
    }
    Files.write(tensors, new byte[3]);
    refused("it has 3 bytes");
    Files.delete(tensors);
    Files.write(adapter.resolve("adapter_model.bin"), bytes);
    refused("adapter_model.bin");
  }

  private void refused(String words) {
    Path out = folder.resolve("out.onnx");
    Cli run = Cli.run("adapter", "import", adapter, model, "-o", out);
    assertEquals(1, run.exitCode(), () -> words + ": " + run);
    assertEquals("", run.out());
    assertEquals(1, run.err().strip().lines().count(), run.err());
    assertTrue(run.err().contains(words), () -> words + " not in " + run.err());
    assertTrue(run.err().contains(adapter.toString()), run.err());
    assertFalse(Files.exists(out));
  }
}
