package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
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
