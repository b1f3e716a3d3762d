package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.AdapterNaming;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraBias;
import io.github.loragraph.lora.LoraInit;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.ActiveAdapter;
import io.github.loragraph.ort.NativeMemory;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters in ONNX Runtime's own loader, over one session, against the models they come from. */
class AdapterInputsTest {
  private static final double TOLERANCE = 1e-6;

  /** Two products of the size of the weights cancel, and are summed in another order. */
  private static final double CANCELLING_TOLERANCE = 1e-5;

  private static final int BATCH = 3;
  private static final int TOKENS = 7;

  @TempDir Path folder;

  private static Map<String, OnnxTensor> batch(OrtRuntime runtime, OnnxModel model)
      throws OrtException {
    Map<String, OnnxTensor> batch = new HashMap<>();
    for (var input : model.graph().requiredInputs()) {
      ByteBuffer ids = ByteBuffer.allocateDirect(8 * BATCH * TOKENS).order(ByteOrder.nativeOrder());
      for (int i = 0; i < BATCH * TOKENS; i++) {
        ids.putLong(input.name().equals("input_ids") ? 3 + i : 1);
      }
      batch.put(
          input.name(),
          runtime.tensor(
              ids.flip(), new long[] {BATCH, TOKENS}, input.requireType().elementType()));
    }
    return batch;
  }

  private static float[][] logits(OrtSession.Result result) {
    return OrtTensors.rows((OnnxTensor) result.get(0));
  }

  private static float[][] answers(OnnxModel model) throws OrtException {
    OrtRuntime runtime = OrtRuntime.ofThisProcess();
    Map<String, OnnxTensor> batch = batch(runtime, model);
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(runtime, 1).create(model, weights);
        OrtSession.Result result = session.run(batch)) {
      return logits(result);
    } finally {
      batch.values().forEach(OnnxTensor::close);
    }
  }

  private static void assertClose(float[][] expected, float[][] actual) {
    assertClose(expected, actual, TOLERANCE);
  }

  private static void assertClose(float[][] expected, float[][] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], (float) tolerance);
    }
  }

  /** Ranks 2, 4 and 16, one after the other and in turns, and none in between. */
  @Test
  void threeAdaptersAreSwitchedOnOneSession() throws Throwable {
    NativeMemory.assertAllClosed(
        () -> {
          OnnxModel plain = AdaptedModels.tiny();
          List<OnnxModel> models =
              List.of(
                  AdaptedModels.trained(plain, "query|value", 2, 3),
                  AdaptedModels.trained(plain, "query|value", 4, 4),
                  AdaptedModels.trained(plain, "query|value", 16, 5));
          OnnxModel base =
              AdapterInputs.base(
                  plain,
                  LoraMetadata.adaptedPaths(models.get(0)),
                  AdapterInputsTest.head(models.get(0)),
                  AdapterNaming.LORA_GRAPH);
          OrtRuntime runtime = OrtRuntime.ofThisProcess();
          List<ActiveAdapter> adapters = new ArrayList<>();
          List<float[][]> expected = new ArrayList<>();
          for (OnnxModel model : models) {
            OnnxAdapter adapter = AdapterInputs.of(model);
            AdapterInputs.requireFitting(base, adapter);
            Path file = folder.resolve("rank" + adapters.size() + OnnxAdapter.SUFFIX);
            OnnxAdapterFile.write(adapter, file, false);
            adapters.add(new ActiveAdapter(runtime, OnnxAdapterFile.read(file)));
            expected.add(answers(model));
          }
          float[][] without = answers(plain);
          Map<String, OnnxTensor> batch = batch(runtime, plain);
          try (Weights weights = new Weights();
              OrtSession session = new Sessions(runtime, 1).create(base, weights)) {
            for (int round = 0; round < 2; round++) {
              try (OrtSession.Result result = session.run(batch)) {
                assertClose(without, logits(result));
              }
              for (int i = 0; i < adapters.size(); i++) {
                try (OrtSession.Result result = adapters.get(i).run(session, batch)) {
                  assertClose(expected.get(i), logits(result));
                }
              }
            }
          } finally {
            batch.values().forEach(OnnxTensor::close);
            adapters.forEach(ActiveAdapter::close);
          }
        });
  }

  /** What PyTorch would take off the weight is taken off by twice the rank. */
  @Test
  void aStartThatIsTakenOffAgainIsPartOfTheAdapter() throws Throwable {
    for (LoraInit init : List.of(LoraInit.PISSA, LoraInit.OLORA)) {
      OnnxModel plain = AdaptedModels.tiny();
      OnnxModel injected =
          AdaptedModels.trained(
              plain, "query", 4, 8, new LoraVariant(true, false, init, LoraBias.NONE));
      OnnxModel base = AdapterInputs.base(injected, AdapterNaming.LORA_GRAPH);
      OnnxAdapter adapter = AdapterInputs.of(injected);
      assertEquals(
          8,
          adapter.parameters().get("roberta.encoder.layer.0.attention.self.query.lora_B").dim(0));
      OrtRuntime runtime = OrtRuntime.ofThisProcess();
      Map<String, OnnxTensor> batch = batch(runtime, plain);
      try (Weights weights = new Weights();
          OrtSession session = new Sessions(runtime, 1).create(base, weights);
          ActiveAdapter active = new ActiveAdapter(runtime, adapter);
          OrtSession.Result result = active.run(session, batch)) {
        assertClose(answers(injected), logits(result), CANCELLING_TOLERANCE);
      } finally {
        batch.values().forEach(OnnxTensor::close);
      }
    }
  }

  @Test
  void whatIsNoProductIsRefused() {
    OnnxModel dora =
        AdaptedModels.trained(
            AdaptedModels.tiny(),
            "query",
            4,
            8,
            new LoraVariant(false, true, LoraInit.NORMAL, LoraBias.NONE));
    assertRefused("DoRA", () -> AdapterInputs.of(dora));
    assertRefused("DoRA", () -> AdapterInputs.base(dora, AdapterNaming.LORA_GRAPH));
  }

  private static Set<String> head(OnnxModel injected) {
    return Set.copyOf(LoraMetadata.require(injected).head());
  }

  @Test
  void theBaseOfAModelIsTheModelWithoutItsAdapters() throws OrtException {
    OnnxModel injected = AdaptedModels.trained(AdaptedModels.tiny(), "query|dense", 3, 6);
    OnnxModel base = AdapterInputs.base(injected, AdapterNaming.OLIVE);
    assertClose(answers(LoraRemover.remove(injected)), answers(base));
    String query = "roberta.encoder.layer.0.attention.self.query.lora_A.weight";
    assertTrue(base.graph().isInput(query));
    assertEquals(0, base.graph().initializer(query).dim(1));
    OnnxAdapter named = AdapterInputs.of(injected).named(AdapterNaming.OLIVE);
    AdapterInputs.requireFitting(base, named);
    assertEquals(
        base.graph().inputs().size() - base.graph().requiredInputs().size(),
        named.parameters().size());
  }

  /** ONNX Runtime's loader, which has a verifier, takes what we write from the file itself. */
  @Test
  void anotherNumberOfClassesComesWithTheAdapter() throws Throwable {
    OnnxModel plain = AdaptedModels.tiny();
    OnnxModel injected = AdaptedModels.trained(plain, "query", 4, 4);
    OnnxModel base = AdapterInputs.base(injected, AdapterNaming.LORA_GRAPH);
    OnnxAdapter two = AdapterInputs.of(injected);
    Map<String, Tensor> more = new HashMap<>(two.parameters());
    Tensor weight = more.get("classifier.out_proj.weight");
    boolean outIn = weight.dim(0) < weight.dim(1);
    long in = Math.max(weight.dim(0), weight.dim(1));
    float[] numbers = new float[(int) in * 5];
    Arrays.fill(numbers, 0.1f);
    more.put(
        weight.name(),
        outIn
            ? Tensor.ofFloats(weight.name(), numbers, 5, in)
            : Tensor.ofFloats(weight.name(), numbers, in, 5));
    OnnxAdapter torn = new OnnxAdapter(1, 1, more);
    assertRefused("does not fit", () -> AdapterInputs.requireFitting(base, torn));
    more.put(
        "classifier.out_proj.bias",
        Tensor.ofFloats("classifier.out_proj.bias", new float[] {1, 2, 3, 4, 5}, 5));
    OnnxAdapter five = new OnnxAdapter(1, 1, more);
    AdapterInputs.requireFitting(base, five);
    OrtRuntime runtime = OrtRuntime.ofThisProcess();
    Map<String, OnnxTensor> batch = batch(runtime, plain);
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(runtime, 1).create(base, weights);
        ActiveAdapter adapter = new ActiveAdapter(runtime, five);
        OrtSession.Result result = adapter.run(session, batch)) {
      float[][] rows = logits(result);
      assertEquals(5, rows[0].length);
      assertEquals(4, rows[1][4] - rows[1][0], 1e-5);
    } finally {
      batch.values().forEach(OnnxTensor::close);
    }
  }

  @Test
  void whatDoesNotFitIsRefusedByName() {
    OnnxModel injected = AdaptedModels.trained(AdaptedModels.tiny(), "query", 4, 4);
    OnnxModel base = AdapterInputs.base(injected, AdapterNaming.LORA_GRAPH);
    OnnxAdapter good = AdapterInputs.of(injected);
    String a = "roberta.encoder.layer.1.attention.self.query.lora_A";
    String b = "roberta.encoder.layer.1.attention.self.query.lora_B";
    Map<String, Tensor> changed = new HashMap<>(good.parameters());
    changed.remove(b);
    assertRefused(
        "lacks '" + b + "'",
        () -> AdapterInputs.requireFitting(base, new OnnxAdapter(1, 1, changed)));
    changed.put(b, Tensor.ofFloats(b, new float[3 * 32], 3, 32));
    assertRefused(
        "does not fit", () -> AdapterInputs.requireFitting(base, new OnnxAdapter(1, 1, changed)));
    changed.remove(b);
    changed.remove(a);
    changed.put(a + "x", Tensor.ofFloats(a + "x", new float[32], 32, 1));
    assertRefused(
        "nearest is '" + a,
        () -> AdapterInputs.requireFitting(base, new OnnxAdapter(1, 1, changed)));
    assertRefused(
        "no Linear layer 'roberta.encoder.layer.9.attention.self.query'",
        () ->
            AdapterInputs.base(
                AdaptedModels.tiny(),
                Set.of("roberta.encoder.layer.9.attention.self.query"),
                Set.of(),
                AdapterNaming.LORA_GRAPH));
    assertRefused(
        "no parameter 'classifier.dense.wait', the nearest is 'classifier.dense.weight'",
        () ->
            AdapterInputs.base(
                AdaptedModels.tiny(),
                Set.of(),
                Set.of("classifier.dense.wait"),
                AdapterNaming.LORA_GRAPH));
  }

  private static void assertRefused(String words, Runnable work) {
    LoraGraphException e = assertThrows(LoraGraphException.class, work::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }
}
