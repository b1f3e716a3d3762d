package example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.springframework.ai.transformers.TransformersEmbeddingModel;
import org.springframework.core.io.FileSystemResource;

/** Loads a tuned encoder in Spring AI and compares its vectors with those that lora-graph wrote. */
public final class Search {
  private static final double TOLERANCE = 1e-5;

  private Search() {}

  /**
   * Compares.
   *
   * @param args the folder of the model, and what {@code lora-graph embed} wrote with it
   */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "../tune/search");
    Path vectors = Path.of(args.length > 1 ? args[1] : "../tune/vectors.jsonl");
    TransformersEmbeddingModel model = new TransformersEmbeddingModel();
    model.setModelResource(new FileSystemResource(folder.resolve("model.onnx")));
    model.setTokenizerResource(new FileSystemResource(folder.resolve("tokenizer.json")));
    model.afterPropertiesSet(); // Spring calls it where the model is a bean.

    double largest = 0;
    int count = 0;
    for (String line : Files.readAllLines(vectors)) {
      JsonNode expected = new ObjectMapper().readTree(line);
      float[] vector = unit(model.embed(expected.get("text").asText()));
      JsonNode numbers = expected.get("embedding");
      if (numbers.size() != vector.length) {
        throw new IllegalStateException(numbers.size() + " numbers, not " + vector.length);
      }
      for (int i = 0; i < vector.length; i++) {
        largest = Math.max(largest, Math.abs(vector[i] - numbers.get(i).asDouble()));
      }
      count++;
    }
    if (!(largest <= TOLERANCE) || count == 0) {
      throw new IllegalStateException(count + " vectors, largest difference " + largest);
    }
    System.out.printf(
        Locale.ROOT, "Spring AI: %d vectors, largest difference %.1e%n", count, largest);
  }

  /** Spring AI leaves a vector as long as it is; a store that compares by cosine does not mind. */
  private static float[] unit(float[] vector) {
    double sum = 0;
    for (float number : vector) {
      sum += (double) number * number;
    }
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (vector[i] / Math.sqrt(sum));
    }
    return unit;
  }
}
