package io.github.loragraph.lora;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One parameter as PyTorch would name it.
 *
 * @param name {@code <module path>.weight}, also where the exporter has left no name
 * @param value the value that the parameter's readers read: the initializer, or an {@code Identity}
 *     of one that the exporter shares between equal parameters
 * @param initializer where the numbers stand
 * @param dims as they stand, and of a packed or sparse tensor those of the matrix that it is
 * @param count the number of elements
 * @param trainable whether training changes it
 * @param copies the further copies that the file has of it, where it is tied; empty for most
 * @param obstacle why training cannot change it ("it is stored as INT8"), or null where it can
 */
public record Parameter(
    String name,
    String value,
    String initializer,
    long[] dims,
    long count,
    boolean trainable,
    List<Copy> copies,
    @Nullable String obstacle) {

  /**
   * A copy of a tied parameter, which exporters write where the parameter has two uses.
   *
   * @param name what it would be called as a parameter of its own
   * @param value what its readers read
   * @param transposed whether rows and columns are swapped in it
   */
  public record Copy(String name, String value, boolean transposed) {}

  public Parameter {
    copies = List.copyOf(copies);
  }

  Parameter with(boolean nowTrainable, List<Copy> nowCopies) {
    return new Parameter(name, value, initializer, dims, count, nowTrainable, nowCopies, obstacle);
  }

  /** Whether an expression is found in the path of a module that has this parameter. */
  boolean isOf(Pattern modules) {
    return modules.matcher(ModulePath.ofParameter(name)).find()
        || copies.stream().anyMatch(c -> modules.matcher(ModulePath.ofParameter(c.name)).find());
  }

  /** Whether an expression is found in its name, or in that of a copy. */
  boolean isNamed(Pattern pattern) {
    return pattern.matcher(name).find()
        || copies.stream().anyMatch(c -> pattern.matcher(c.name).find());
  }
}
