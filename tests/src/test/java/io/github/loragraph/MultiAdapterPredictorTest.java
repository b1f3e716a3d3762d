package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.MultiAdapterPredictor.Request;
import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.AdapterNaming;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftExport;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.NativeMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One session with many adapters against one session each. */
class MultiAdapterPredictorTest {
  private static final double TOLERANCE = 1e-6;
  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();

  @TempDir Path folder;

  private static Model base() {
    return Model.open(Fixtures.file("tiny-roberta")).withNotes(line -> {});
  }

  /** A model with adapters in a folder of its own, with labels of its own. */
  private Path adapted(String name, String match, int rank, List<String> labels) throws Exception {
    Path target = Files.createDirectories(folder.resolve(name));
    OnnxModel model = AdaptedModels.trained(AdaptedModels.tiny(), match, rank, 2 * rank);
    OnnxFile.write(model, target.resolve("model.onnx"), false);
    ModelConfig.read(Fixtures.file("tiny-roberta/config.json"))
        .withLabels(new LabelSet(labels))
        .write(target.resolve("config.json"), false);
    return target;
  }

  private static List<Example> examples(int count) {
    Random random = new Random(3);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      examples.add(Example.ofTokens(random.ints(2 + i % 9, 3, 60).toArray()));
    }
    return examples;
  }

  private static List<Prediction> alone(Path model, List<Example> examples) {
    try (Predictor predictor = Model.open(model).withNotes(l -> {}).predictor(ONE_THREAD)) {
      return predictor.predict(examples);
    }
  }

  private static boolean isClose(Prediction a, Prediction b) {
    return a.probabilities().keySet().equals(b.probabilities().keySet())
        && a.probabilities().entrySet().stream()
            .allMatch(e -> Math.abs(e.getValue() - b.probability(e.getKey())) <= TOLERANCE);
  }

  private static void assertClose(List<Prediction> expected, List<Prediction> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertTrue(isClose(expected.get(i), actual.get(i)), expected.get(i) + " " + actual.get(i));
    }
  }

  @Test
  void eachAdapterAnswersAsItsOwnModel() throws Throwable {
    int classes = base().labels().size();
    Path a = adapted("a", "query|value", 2, names("a", classes));
    Path b = adapted("b", "query|value", 16, names("b", classes));
    Path dense = adapted("dense", "dense", 3, names("d", classes));
    List<Example> examples = examples(40);
    NativeMemory.assertAllClosed(
        () -> {
          try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD)) {
            List<Prediction> ofBase = many.predict(MultiAdapterPredictor.BASE, examples);
            assertClose(alone(Fixtures.file("tiny-roberta"), examples), ofBase);
            many.load("a", a);
            many.load("b", b);
            assertClose(alone(a, examples), many.predict("a", examples));
            // It adapts other layers, so the session is made anew.
            many.load("dense", dense);
            for (int round = 0; round < 2; round++) {
              assertClose(alone(dense, examples), many.predict("dense", examples));
              assertClose(alone(a, examples), many.predict("a", examples));
              assertClose(alone(b, examples), many.predict("b", examples));
              assertClose(ofBase, many.predict(MultiAdapterPredictor.BASE, examples));
            }
            assertEquals(names("a", classes), many.labels("a"));
            assertEquals(names("b", classes), many.labels("b"));
            assertEquals(Task.CLASSIFICATION, many.task("dense"));
            assertEquals(Set.of("a", "b", "dense"), many.adapters());
            assertClose(alone(b, examples), mixed(many, examples, 1));
            many.load("a", Model.open(b));
            assertClose(alone(b, examples), many.predict("a", examples));
            assertTrue(many.drop("a"));
            assertFalse(many.drop("a"));
            assertRefused("no adapter 'a'", () -> many.predict("a", examples));
          }
        });
  }

  /** Rows for a, b and the model itself in turns; those of one of them. */
  private static List<Prediction> mixed(
      MultiAdapterPredictor many, List<Example> examples, int which) {
    List<String> names = List.of("a", "b", MultiAdapterPredictor.BASE);
    List<Request> requests = new ArrayList<>();
    for (Example example : examples) {
      names.forEach(name -> requests.add(new Request(name, example)));
    }
    List<Prediction> answers = many.predict(requests);
    List<Prediction> own = new ArrayList<>();
    for (int i = which; i < answers.size(); i += names.size()) {
      own.add(answers.get(i));
    }
    return own;
  }

  private static List<String> names(String prefix, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      names.add(prefix + i);
    }
    return names;
  }

  @Test
  void anotherHeadComesWithTheAdapter() throws Exception {
    Path file = folder.resolve("five" + OnnxAdapter.SUFFIX);
    OnnxModel trained = AdaptedModels.trained(AdaptedModels.tiny(), "query", 4, 4);
    OnnxAdapterFile.write(
        withClasses(AdapterInputs.of(trained), 5).named(AdapterNaming.OLIVE), file, false);
    List<Example> examples = examples(7);
    List<String> notes = new ArrayList<>();
    try (MultiAdapterPredictor many =
        MultiAdapterPredictor.open(base().withNotes(notes::add), ONE_THREAD)) {
      many.load("five", file);
      assertEquals(List.of("0", "1", "2", "3", "4"), many.labels("five"));
      List<Prediction> numbered = many.predict("five", examples);
      assertEquals(5, numbered.get(0).probabilities().size());
      ModelConfig.empty()
          .withLabels(new LabelSet(names("x", 5)))
          .write(folder.resolve("five.config.json"), false);
      many.load("five", file);
      assertEquals(names("x", 5), many.labels("five"));
      assertEquals("x" + numbered.get(0).label(), many.predict("five", examples).get(0).label());
      ModelConfig.empty()
          .withLabels(new LabelSet(names("x", 4)))
          .write(folder.resolve("five.config.json"), true);
      assertRefused("4 labels are given, and the model has 5", () -> many.load("five", file));
      assertEquals(names("x", 5), many.labels("five"));
      assertEquals(
          2, many.predict(MultiAdapterPredictor.BASE, examples).get(0).probabilities().size());
    }
  }

  private static OnnxAdapter withClasses(OnnxAdapter adapter, int classes) {
    Map<String, Tensor> changed = new HashMap<>(adapter.parameters());
    Tensor weight = changed.get("classifier.out_proj.weight");
    boolean outIn = weight.dim(0) < weight.dim(1);
    int in = (int) Math.max(weight.dim(0), weight.dim(1));
    Random random = new Random(5);
    float[] numbers = new float[in * classes];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    changed.put(
        weight.name(),
        outIn
            ? Tensor.ofFloats(weight.name(), numbers, classes, in)
            : Tensor.ofFloats(weight.name(), numbers, in, classes));
    String bias = "classifier.out_proj.bias";
    changed.put(bias, Tensor.ofFloats(bias, new float[classes], classes));
    return new OnnxAdapter(1, 1, changed);
  }

  /** PEFT's folders, with a head of the model's classes and with another. */
  @Test
  void foldersOfPeftAreServed() throws Exception {
    OnnxModel trained = AdaptedModels.trained(AdaptedModels.tiny(), "query|value", 4, 6);
    Path alone = adapted("alone", "query|value", 4, names("l", base().labels().size()));
    OnnxFile.write(trained, alone.resolve("model.onnx"), true);
    PeftAdapter adapter = PeftExport.of(trained);
    Path same = written("same", adapter, null);
    Path run = folder.resolve("run");
    Path inRun = written("run/adapter", adapter, null);
    Files.writeString(run.resolve("config.yaml"), "maxLength: 9\n");
    ModelConfig.empty()
        .withLabels(new LabelSet(names("r", base().labels().size())))
        .write(run.resolve("config.json"), false);
    Map<String, Tensor> other = new HashMap<>(adapter.tensors());
    String head = "base_model.model.classifier.out_proj.";
    int hidden = (int) other.get(head + "weight").dim(1);
    float[] numbers = new float[3 * hidden];
    numbers[0] = 1;
    other.put(head + "weight", Tensor.ofFloats(head + "weight", numbers, 3, hidden));
    other.put(head + "bias", Tensor.ofFloats(head + "bias", new float[] {0, 1, 2}, 3));
    Path three = written("three", new PeftAdapter(adapter.config(), other), List.of("x", "y", "z"));
    List<Example> examples = examples(9);
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD)) {
      many.load("same", same);
      many.load("run", run);
      many.load("in run", inRun);
      many.load("three", three);
      List<Prediction> answers = many.predict("same", examples);
      List<Prediction> expected = alone(alone, examples);
      for (int i = 0; i < answers.size(); i++) {
        assertEquals(
            List.copyOf(expected.get(i).probabilities().values()).get(0),
            List.copyOf(answers.get(i).probabilities().values()).get(0),
            TOLERANCE);
      }
      assertEquals(base().labels(), many.labels("same"));
      assertEquals(List.of("x", "y", "z"), many.labels("three"));
      Map<String, Double> found = many.predict("three", examples).get(0).probabilities();
      assertEquals(Math.E, found.get("z") / found.get("y"), 1e-5);
      assertEquals(names("r", base().labels().size()), many.labels("run"));
      assertEquals(many.labels("run"), many.labels("in run"));
      many.load("in memory", Adapter.open(three));
      assertEquals(List.of("x", "y", "z"), many.labels("in memory"));
      assertEquals(many.predict("three", examples), many.predict("in memory", examples));
    }
  }

  private Path written(String name, PeftAdapter adapter, @Nullable List<String> labels)
      throws Exception {
    Path target = Files.createDirectories(folder.resolve(name));
    try (StagedFiles files = new StagedFiles(target, false)) {
      adapter.stage(target, files);
      files.commit();
    }
    if (labels != null) {
      ModelConfig.empty()
          .withLabels(new LabelSet(labels))
          .write(target.resolve("config.json"), false);
    }
    return target;
  }

  @Test
  void whatWasLeastRecentlyUsedMakesRoom() throws Exception {
    int classes = base().labels().size();
    List<Path> sources = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      sources.add(adapted("m" + i, "query", 4 + i, names("l", classes)));
    }
    List<Example> examples = examples(5);
    long bytes;
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD)) {
      many.load("m2", sources.get(2));
      bytes = many.adapterBytes();
      assertTrue(bytes > 0);
    }
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD, 2 * bytes)) {
      many.load("m0", sources.get(0));
      many.load("m1", sources.get(1));
      many.predict("m0", examples);
      many.load("m2", sources.get(2));
      assertEquals(Set.of("m0", "m2"), many.adaptersInMemory());
      assertTrue(many.adapterBytes() <= 2 * bytes);
      assertClose(alone(sources.get(1), examples), many.predict("m1", examples));
      assertEquals(Set.of("m1", "m2"), many.adaptersInMemory());
      assertEquals(Set.of("m0", "m1", "m2"), many.adapters());
      many.load("given", Model.open(sources.get(0)));
      many.predict("m1", examples);
      many.predict("m2", examples);
      assertRefused("had to make room", () -> many.predict("given", examples));
      Files.delete(sources.get(0).resolve("model.onnx"));
      assertRefused("m0", () -> many.predict("m0", examples));
      assertClose(alone(sources.get(1), examples), many.predict("m1", examples));
    }
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD, 100)) {
      assertRefused("raise the limit", () -> many.load("m1", sources.get(1)));
    }
  }

  /** Loading, replacing and dropping under requests: each ends with what it began with. */
  @Test
  void requestsEndWithTheAdapterThatTheyBeganWith() throws Throwable {
    int classes = base().labels().size();
    List<Path> sources =
        List.of(
            adapted("r2", "query|value", 2, names("l", classes)),
            adapted("r5", "query|value", 5, names("l", classes)),
            adapted("d4", "dense", 4, names("l", classes)));
    List<Example> examples = examples(12);
    List<List<Prediction>> possible = sources.stream().map(s -> alone(s, examples)).toList();
    Queue<String> faults = new ConcurrentLinkedQueue<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    NativeMemory.assertAllClosed(
        () -> {
          AtomicBoolean done = new AtomicBoolean();
          List<Thread> threads = new ArrayList<>();
          try (MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD)) {
            many.load("x", sources.get(0));
            CountDownLatch asked = new CountDownLatch(20);
            for (int t = 0; t < 3; t++) {
              Thread thread =
                  new Thread(
                      () -> {
                        while (!done.get()) {
                          try {
                            List<Prediction> answers = many.predict("x", examples);
                            if (possible.stream().noneMatch(p -> areClose(p, answers))) {
                              faults.add("an answer of no adapter");
                            }
                            asked.countDown();
                          } catch (LoraGraphException e) {
                            // Dropped at the moment.
                          } catch (RuntimeException | Error e) {
                            failure.compareAndSet(null, e);
                          }
                        }
                      });
              thread.start();
              threads.add(thread);
            }
            for (int i = 1; i < 40 || asked.getCount() > 0; i++) {
              many.load("x", sources.get(i % sources.size()));
              if (i % 5 == 0) {
                many.drop("x");
                many.load("x", sources.get((i + 1) % sources.size()));
              }
            }
            done.set(true);
            for (Thread thread : threads) {
              thread.join();
            }
          }
        });
    if (failure.get() != null) {
      throw failure.get();
    }
    assertEquals(List.of(), List.copyOf(faults));
  }

  private static boolean areClose(List<Prediction> a, List<Prediction> b) {
    for (int i = 0; i < a.size(); i++) {
      if (!isClose(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  @Test
  void misuseIsRefused() throws Exception {
    Path adapted = adapted("a", "query", 2, names("l", base().labels().size()));
    assertRefused(
        "has adapters itself", () -> MultiAdapterPredictor.open(Model.open(adapted), ONE_THREAD));
    assertRefused("positive number", () -> MultiAdapterPredictor.open(base(), ONE_THREAD, 0));
    MultiAdapterPredictor many = MultiAdapterPredictor.open(base(), ONE_THREAD);
    try {
      assertRefused("needs a name", () -> many.load("", adapted));
      assertRefused("no adapters", () -> many.load("b", Fixtures.file("tiny-roberta")));
      assertRefused("no such", () -> many.load("b", folder.resolve("missing")));
      assertRefused(
          "no such adapter", () -> many.load("b", folder.resolve("missing.onnx_adapter")));
      OnnxModel bert =
          AdaptedModels.trained(
              OnnxFile.read(Fixtures.file("tiny-bert/model.onnx")), "query", 2, 2);
      Path other = folder.resolve("other" + OnnxAdapter.SUFFIX);
      OnnxAdapterFile.write(AdapterInputs.of(bert), other, false);
      assertRefused("other.onnx_adapter: the model has no", () -> many.load("b", other));
      many.load("abc", adapted);
      assertRefused("nearest is 'abc'", () -> many.predict("abd", examples(1)));
    } finally {
      many.close();
      many.close();
    }
    assertThrows(IllegalStateException.class, () -> many.predict("abc", examples(1)));
    assertThrows(
        IllegalStateException.class, () -> many.predict(MultiAdapterPredictor.BASE, examples(1)));
    assertThrows(IllegalStateException.class, () -> many.load("abc", adapted));
  }

  private static void assertRefused(String words, Runnable work) {
    LoraGraphException e = assertThrows(LoraGraphException.class, work::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }
}
