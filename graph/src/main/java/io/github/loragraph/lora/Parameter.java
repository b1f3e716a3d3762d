package io.github.loragraph.lora;

/**
 * One parameter as PyTorch would name it.
 *
 * @param name {@code <module path>.weight}, also where the exporter has left no name
 * @param value the value that the parameter's readers read: the initializer, or an {@code Identity}
 *     of one that the exporter shares between equal parameters
 * @param initializer where the numbers stand
 * @param count the number of elements
 * @param trainable whether training changes it
 */
public record Parameter(
    String name, String value, String initializer, long[] dims, long count, boolean trainable) {}
