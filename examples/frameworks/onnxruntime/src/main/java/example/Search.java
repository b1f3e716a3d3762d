package example;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Makes vectors with a tuned encoder, and compares them with those that lora-graph wrote. */
public final class Search implements AutoCloseable {
  private static final double TOLERANCE = 1e-5;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final HuggingFaceTokenizer tokenizer;

  /**
   * Opens a model.
   *
   * @param folder with {@code model.onnx} and {@code tokenizer.json}
   */
  Search(Path folder) throws OrtException, IOException {
    session = environment.createSession(folder.resolve("model.onnx").toString());
    tokenizer =
        HuggingFaceTokenizer.newInstance(
            folder.resolve("tokenizer.json"), Map.of("padding", "false"));
  }

  /** The mean of the tokens' vectors, of length 1. */
  float[] embed(String text) throws OrtException {
    Encoding encoding = tokenizer.encode(text);
    Map<String, long[]> values =
        Map.of(
            "input_ids", encoding.getIds(),
            "attention_mask", encoding.getAttentionMask(),
            "token_type_ids", encoding.getTypeIds());
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      for (String input : session.getInputNames()) {
        inputs.put(input, OnnxTensor.createTensor(environment, new long[][] {values.get(input)}));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        float[][] tokens = ((float[][][]) result.get("last_hidden_state").get().getValue())[0];
        float[] vector = new float[tokens[0].length];
        double squares = 0;
        for (int i = 0; i < vector.length; i++) {
          for (float[] token : tokens) {
            vector[i] += token[i] / tokens.length;
          }
          squares += (double) vector[i] * vector[i];
        }
        for (int i = 0; i < vector.length; i++) {
          vector[i] /= (float) Math.sqrt(squares);
        }
        return vector;
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() throws OrtException {
    tokenizer.close();
    session.close();
  }

  /**
   * Compares.
   *
   * @param args the folder of the model, and what {@code lora-graph embed} wrote with it
   */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "../tune/search");
    Path vectors = Path.of(args.length > 1 ? args[1] : "../tune/vectors.jsonl");
    double largest = 0;
    int count = 0;
    try (Search search = new Search(folder)) {
      for (String line : Files.readAllLines(vectors)) {
        JsonNode expected = new ObjectMapper().readTree(line);
        float[] vector = search.embed(expected.get("text").asText());
        JsonNode numbers = expected.get("embedding");
        if (numbers.size() != vector.length) {
          throw new IllegalStateException(numbers.size() + " numbers, not " + vector.length);
        }
        for (int i = 0; i < vector.length; i++) {
          largest = Math.max(largest, Math.abs(vector[i] - numbers.get(i).asDouble()));
        }
        count++;
      }
    }
    if (!(largest <= TOLERANCE) || count == 0) {
      throw new IllegalStateException(count + " vectors, largest difference " + largest);
    }
    System.out.printf(
        Locale.ROOT, "ONNX Runtime: %d vectors, largest difference %.1e%n", count, largest);
  }
}
