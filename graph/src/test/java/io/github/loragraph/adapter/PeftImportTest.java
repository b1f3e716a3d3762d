package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class PeftImportTest {
  private final OnnxModel base = OnnxFile.read(Fixtures.file("peft/model.onnx"));
  private final List<String> notes = new ArrayList<>();

  @Test
  void whatWasImportedGoesOutBitForBit() {
    for (String name :
        List.of(
            "roberta-lora/peft-initial",
            "roberta-lora/peft-final",
            "roberta-dora/peft-initial",
            "roberta-dora/peft-final")) {
      PeftAdapter adapter = PeftAdapter.read(Fixtures.file("peft/" + name));
      PeftAdapter back = PeftExport.of(PeftImport.into(base, adapter, notes::add));
      assertEquals(adapter.config().toJson(), back.config().toJson());
      assertSameTensors(adapter, back);
      assertEquals(List.of(), notes);
    }
  }

  private PeftAdapter adapter() {
    return PeftAdapter.read(Fixtures.file("peft/roberta-lora/peft-final"));
  }

  /** The same adapter under other keys. */
  private static PeftAdapter renamed(PeftAdapter adapter, UnaryOperator<String> rename) {
    Map<String, Tensor> tensors = new TreeMap<>();
    adapter.tensors().forEach((key, t) -> tensors.put(rename.apply(key), t));
    tensors.replaceAll((key, tensor) -> tensor.withName(key));
    return new PeftAdapter(adapter.config(), tensors);
  }

  @Test
  void whatStandsInFrontOfTheLayersMayDiffer() {
    PeftAdapter adapter = adapter();
    PeftAdapter expected = PeftExport.of(PeftImport.into(base, adapter));
    for (String front : List.of("", "0.auto_model.", "auto_model.", "model.roberta.", "bert.")) {
      PeftAdapter other =
          renamed(adapter, key -> key.replace("roberta.encoder", front + "encoder"));
      OnnxModel imported = PeftImport.into(base, other);
      assertEquals(
          LoraMetadata.adaptedPaths(PeftImport.into(base, adapter)),
          LoraMetadata.adaptedPaths(imported));
      // It goes out under the keys that it came with.
      assertSameTensors(other, PeftExport.of(imported));
    }
    assertSameTensors(
        expected,
        PeftExport.of(
            PeftImport.into(base, renamed(adapter, key -> key.replace("base_model.model.", "")))));
  }

  @Test
  void oneLayerIsNotTakenForAnother() {
    PeftAdapter adapter = adapter();
    Map<String, Tensor> tensors = new TreeMap<>(adapter.tensors());
    tensors.keySet().removeIf(key -> key.contains("layer.1."));
    PeftConfig config = adapter.config().with("layers_to_transform", List.of(0));
    PeftAdapter one =
        renamed(new PeftAdapter(config, tensors), key -> key.replace("roberta.enc", "bert.enc"));
    assertEquals(
        List.of(
            "roberta.encoder.layer.0.attention.self.query",
            "roberta.encoder.layer.0.attention.self.value"),
        List.copyOf(LoraMetadata.adaptedPaths(PeftImport.into(base, one))));
  }

  @Test
  void configurationsOfOtherVersionsAndForms() {
    PeftAdapter adapter = adapter();
    Map<String, Tensor> tensors = adapter.tensors();
    // PEFT 0.2 had fewer keys, and some that are gone.
    for (String json :
        List.of(
            """
            {"base_model_name_or_path": "tiny", "bias": "none", "enable_lora": null,
             "fan_in_fan_out": false, "inference_mode": true, "lora_alpha": 8,
             "lora_dropout": 0.1, "merge_weights": false, "modules_to_save": ["classifier"],
             "peft_type": "LORA", "r": 4, "target_modules": ["query", "value"],
             "task_type": "SEQ_CLS"}
            """,
            """
            {"peft_type": "LORA", "r": 4, "lora_alpha": 8.0, "target_modules":
             ".*\\\\.self\\\\.(?P<which>query|value)", "modules_to_save": ["classifier"],
             "eva_config": null, "corda_config": null, "megatron_core": "megatron.core",
             "layer_replication": null, "trainable_token_indices": null, "qalora_group_size": 16,
             "use_qalora": false, "target_parameters": null, "peft_version": "0.17.1"}
            """,
            """
            {"peft_type": "LORA", "r": 1, "lora_alpha": 2, "rank_pattern": {"query": 4,
             "layer.[01].attention.self.value": 4}, "alpha_pattern": {"self.(query|value)": 8},
             "target_modules": ["query", "value", "key"], "exclude_modules": ".*key",
             "layers_to_transform": [0, 1], "layers_pattern": "layer",
             "modules_to_save": ["classifier"]}
            """)) {
      PeftAdapter other = new PeftAdapter(PeftConfig.parse(json), tensors);
      OnnxModel imported = PeftImport.into(base, other, notes::add);
      assertEquals(List.of(), notes);
      LoraMetadata.require(imported)
          .targets()
          .forEach(target -> assertEquals(List.of(4, 8.0), List.of(target.rank(), target.alpha())));
      assertSameTensors(other, PeftExport.of(imported));
      assertEquals(other.config(), PeftExport.of(imported).config());
    }
  }

  @Test
  void keysThatAreNotKnownAreKeptAndSaid() {
    PeftAdapter adapter = adapter();
    PeftConfig newer = adapter.config().with("use_quantum", true).with("use_other", null);
    OnnxModel imported =
        PeftImport.into(base, new PeftAdapter(newer, adapter.tensors()), notes::add);
    assertEquals(1, notes.size());
    assertTrue(notes.get(0).contains("'use_quantum'"), notes::toString);
    assertEquals(newer, PeftExport.of(imported).config());
  }

  @Test
  void biasesAsOldAndNewVersionsWriteThem() {
    PeftAdapter adapter = adapter();
    String module = PeftAdapter.PREFIX + "roberta.encoder.layer.0.attention.self.";
    float[] numbers = new float[16];
    numbers[3] = 2.5f;
    for (String key : List.of(module + "query.bias", module + "query.base_layer.bias")) {
      Map<String, Tensor> tensors = new TreeMap<>(adapter.tensors());
      tensors.put(key, Tensor.ofFloats(key, numbers, 16));
      PeftConfig config = adapter.config().with("bias", "lora_only");
      OnnxModel imported = PeftImport.into(base, new PeftAdapter(config, tensors), notes::add);
      PeftAdapter back = PeftExport.of(imported);
      assertEquals("lora_only", back.config().bias());
      Tensor bias = back.tensors().get(module + "query.base_layer.bias");
      assertEquals(Tensor.ofFloats(key, numbers, 16).bytes(), bias.bytes());
      assertTrue(back.tensors().containsKey(module + "value.base_layer.bias"));
    }
  }

  @Test
  void halfNumbersAreTakenExactlyAndAMissingHeadIsSaid() {
    PeftAdapter adapter = adapter();
    Map<String, Tensor> tensors = new TreeMap<>();
    adapter.layers().values().forEach(layer -> put(tensors, layer.a(), layer.b()));
    OnnxModel imported =
        PeftImport.into(base, new PeftAdapter(adapter.config(), tensors), notes::add);
    assertEquals(2, notes.size(), notes::toString);
    assertTrue(notes.get(0).contains("8 of the adapter's tensors are in FLOAT16"), notes.get(0));
    assertTrue(notes.get(1).contains("classifier.dense, classifier.out_proj"), notes.get(1));
    String path = "roberta.encoder.layer.0.attention.self.query";
    double[] half = tensors.get(PeftLayer.keyOfA(path)).toDoubles();
    assertEquals(half[1], imported.graph().initializer(path + ".lora_A").toDoubles()[4]);
  }

  private static void put(Map<String, Tensor> tensors, Tensor... all) {
    for (Tensor tensor : all) {
      tensors.put(tensor.name(), tensor.toHalf(tensor.name(), ElementType.FLOAT16));
    }
  }

  static void assertSameTensors(PeftAdapter expected, PeftAdapter actual) {
    assertEquals(expected.keys(), actual.keys());
    new TreeMap<>(expected.tensors())
        .forEach(
            (key, tensor) -> {
              Tensor other = actual.tensors().get(key);
              assertEquals(tensor.type(), other.type(), key);
              assertEquals(tensor.bytes(), other.bytes(), key);
            });
  }
}
